import type { BridgeConfig, Delivery, MessageProperties } from './ports.ts'

/** Our own headers. Those that a message brings along are dropped: anyone can forge them. */
export const HEADER_PREFIX = 'x-fpm-bridge-'

/** A larger table does not fit the frame a broker takes (frame_max is 128 KiB by default); the copy goes without. */
const MAX_TABLE_BYTES = 60 * 1024

/** Characters of the worker's stderr that a copy carries. */
const MAX_STDERR = 2_048

/** Why a message was given up; status and stderr where a worker answered. */
export interface Diagnosis {
  readonly reason: string
  readonly status?: number
  readonly stderr?: string
}

/**
 * The properties of a dead-lettered copy: those of the message, made safe to publish again, and the diagnosis.
 *
 * - `user_id` must be the publisher's own user, or the broker closes the channel;
 * - `expiration` would let the copy expire in the dead-letter queue;
 * - the headers `CC` and `BCC` would send it to further queues, even back to its own.
 *
 * They are kept as `x-fpm-bridge-original-*`, where nobody acts on them.
 */
export function deadLetterProperties(
  delivery: Delivery,
  diagnosis: Diagnosis,
  config: BridgeConfig,
): MessageProperties {
  const { userId, expiration, headers = {}, ...kept } = delivery.properties
  const { CC: cc, BCC: bcc, ...foreign } = headers
  const own = ownHeaders(delivery, diagnosis, config)
  const table = {
    ...Object.fromEntries(Object.entries(foreign).filter(([name]) => !name.startsWith(HEADER_PREFIX))),
    ...prefixed('original-', { 'user-id': userId, expiration, cc, bcc }),
    ...own,
  }
  const tooLarge = encodedBytes(table) > MAX_TABLE_BYTES
  return { ...kept, deliveryMode: 2, headers: tooLarge ? withoutForeign(own) : table }
}

/** The diagnosis alone, for a message whose own properties cannot be published again. */
export function bareProperties(
  delivery: Delivery,
  diagnosis: Diagnosis,
  config: BridgeConfig,
): MessageProperties {
  return { deliveryMode: 2, headers: withoutForeign(ownHeaders(delivery, diagnosis, config)) }
}

function ownHeaders(
  delivery: Delivery,
  { reason, status, stderr }: Diagnosis,
  config: BridgeConfig,
): Record<string, unknown> {
  return prefixed('', {
    reason,
    // A status that could not be read is NaN, for which AMQP has no value.
    status: Number.isInteger(status) ? status : undefined,
    stderr: stderr?.slice(0, MAX_STDERR) || undefined,
    script: config.script,
    'daemon-id': config.daemonId,
    queue: config.queue,
    exchange: delivery.exchange,
    'routing-key': delivery.routingKey,
    time: new Date().toISOString(),
    'headers-dropped': delivery.defect === undefined ? undefined : true,
  })
}

function withoutForeign(own: Record<string, unknown>): Record<string, unknown> {
  return { ...own, ...prefixed('', { 'headers-dropped': true }) }
}

function prefixed(infix: string, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [`${HEADER_PREFIX}${infix}${name}`, value]),
  )
}

/** Deeper tables are made to break somebody; encoding them would overflow the stack. */
const MAX_TABLE_DEPTH = 100

/** How many bytes a field value takes at most (AMQP 0-9-1, section 4.2.5.5, and RabbitMQ's errata for it). */
function encodedBytes(value: unknown, depth = 0): number {
  if (depth > MAX_TABLE_DEPTH) return Number.POSITIVE_INFINITY
  if (typeof value === 'string') return 5 + Buffer.byteLength(value)
  if (value instanceof Uint8Array) return 5 + value.length
  if (typeof value !== 'object' || value === null) return 9
  let bytes = 5
  for (const [name, element] of Object.entries(value)) {
    bytes += (Array.isArray(value) ? 0 : 1 + Buffer.byteLength(name)) + encodedBytes(element, depth + 1)
    if (bytes > MAX_TABLE_BYTES) break
  }
  return bytes
}
