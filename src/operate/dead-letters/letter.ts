import { createHash } from 'node:crypto'
import { encodeFields } from '../../amqp/header-fields.ts'
import { DELIVERY_COUNT } from '../../bridge/headers.ts'
import type { Delivery, HeaderField } from '../../bridge/ports.ts'
import type { Origins } from './origin.ts'
import { originsOf } from './origins.ts'
import { propertiesToJson } from './property-text.ts'

/** What is known of a dead letter, without its body. */
export interface DeadLetter extends Origins {
  /** 16 hex digits that follow from properties, headers and body: the same letter has the same id wherever it is. */
  readonly id: string
  readonly messageId: string | undefined
  /** Of its body. */
  readonly bytes: number
  /** How often it has come back to its quorum queue; 0 elsewhere. */
  readonly deliveryCount: number
  /** Why its headers cannot be read, and it cannot be put anywhere. */
  readonly defect: string | undefined
}

/** What the broker counts: the letter stays the same. */
const COUNTERS: readonly string[] = [DELIVERY_COUNT, 'x-acquired-count']

/** Hex digits of an id, and of what is shown of it. */
const ID_DIGITS = 16
export const SHOWN_DIGITS = 10

export function letterOf(delivery: Delivery): DeadLetter {
  const { properties, body, defect } = delivery
  const count = properties.headers?.[DELIVERY_COUNT]
  return {
    ...originsOf(delivery),
    id: idOf(delivery),
    messageId: properties.messageId,
    bytes: body.length,
    deliveryCount: typeof count === 'number' ? count : 0,
    defect,
  }
}

/** Its headers as its publisher meant them. */
export function ownFields(delivery: Delivery): readonly HeaderField[] {
  return delivery.headerFields().filter(([name]) => !COUNTERS.includes(name))
}

/** Each part by itself: together they would be a copy of the body. */
function idOf(delivery: Delivery): string {
  return createHash('sha256')
    .update(JSON.stringify(propertiesToJson(delivery.properties)))
    .update(encodeFields(ownFields(delivery)))
    .update(delivery.body)
    .digest('hex')
    .slice(0, ID_DIGITS)
}
