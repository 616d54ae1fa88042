import type { Delivery } from '../../bridge/ports.ts'
import { type Origins, timeOf } from './origin.ts'
import { fromBridge } from './origin-bridge.ts'
import { fromLaravel } from './origin-laravel.ts'
import { fromRabbitMq } from './origin-rabbitmq.ts'
import { fromSymfony } from './origin-symfony.ts'

export const UNKNOWN: Origins = {
  madeBy: undefined,
  queue: undefined,
  reason: undefined,
  status: undefined,
  attempts: undefined,
  script: undefined,
  subject: undefined,
  exception: undefined,
  stderr: undefined,
  time: undefined,
  replayed: undefined,
}

/** A bridge has said all of it; others leave it to RabbitMQ where and when it died. */
export function originsOf(delivery: Delivery): Origins {
  const { timestamp } = delivery.properties
  const published = timestamp === undefined ? undefined : timeOf(timestamp * 1_000)
  const ours = fromBridge(delivery)
  if (ours !== undefined) return { ...UNKNOWN, ...ours, time: ours.time ?? published }
  const known: Record<string, unknown> = { ...UNKNOWN, time: published, ...fromRabbitMq(delivery) }
  const theirs = fromSymfony(delivery) ?? fromLaravel(delivery) ?? {}
  for (const [name, value] of Object.entries(theirs)) if (value !== undefined) known[name] = value
  return known as unknown as Origins
}
