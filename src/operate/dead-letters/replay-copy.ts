import { expressible, KEPT_AS } from '../../bridge/copy-headers.ts'
import { HEADER_PREFIX } from '../../bridge/headers.ts'
import type { Delivery, HeaderField, OutgoingMessage } from '../../bridge/ports.ts'
import { ownFields } from './letter.ts'
import { REPLAYED } from './origin-bridge.ts'

/** Of our own headers, what is no word of the last execution: where the message was published, and what it had then. */
const KEPT: readonly string[] = ['queue', 'exchange', 'routing-key', 'headers-dropped']
const ORIGINAL = `${HEADER_PREFIX}original-`

/** What RabbitMQ notes of its dead-lettering: by it, it drops what seems to run in a circle. */
const DEATH = /^x-(?:death$|first-death-|last-death-)/

/**
 * The message that a letter becomes again. Body, properties and headers stay as they are, but for what would keep it from its queue, or
 * send it to others: see copyOf. What is counted begins anew.
 *
 * @param note what `x-fpm-bridge-replayed` says
 */
export function replayOf(delivery: Delivery, queue: string, note: string): OutgoingMessage {
  return { queue, ...contentOf(delivery.properties, ownFields(delivery), note), body: delivery.body }
}

/** @param fields its headers, as they are in the letter */
export function contentOf(
  properties: Delivery['properties'],
  fields: readonly HeaderField[],
  note: string,
): Pick<OutgoingMessage, 'properties' | 'headers'> {
  const { userId, expiration, headers: _, ...kept } = properties
  const originals = { 'user-id': userId, expiration }
  const headers: HeaderField[] = fields
    .filter(isKept)
    .map(([name, value]) => [KEPT_AS.get(name) ?? name, value])
  for (const [name, value] of Object.entries(originals))
    if (value !== undefined) headers.push([`${ORIGINAL}${name}`, value])
  headers.push([REPLAYED, note])
  return { properties: { ...expressible(kept), deliveryMode: 2 }, headers }
}

function isKept([name]: HeaderField): boolean {
  if (DEATH.test(name)) return false
  if (!name.startsWith(HEADER_PREFIX)) return true
  return name.startsWith(ORIGINAL) || KEPT.includes(name.slice(HEADER_PREFIX.length))
}
