import type { BridgeConfig, Delivery, MessageProperties } from './ports.ts'

/** Our own headers. Those that a message brings along are dropped: anyone can forge them. */
export const HEADER_PREFIX = 'x-fpm-bridge-'

/** A larger table does not fit the frame a broker takes (frame_max is 128 KiB by default); the copy goes without. */
const MAX_TABLE_BYTES = 60 * 1024

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
  reason: string,
  config: BridgeConfig,
): MessageProperties {
  const { userId, expiration, headers = {}, ...kept } = delivery.properties
  const { CC: cc, BCC: bcc, ...foreign } = headers
  const originals = { 'user-id': userId, expiration, cc, bcc }
  const diagnosis = {
    reason,
    'daemon-id': config.daemonId,
    queue: config.queue,
    exchange: delivery.exchange,
    'routing-key': delivery.routingKey,
    time: new Date().toISOString(),
  }
  const table = {
    ...Object.fromEntries(Object.entries(foreign).filter(([name]) => !name.startsWith(HEADER_PREFIX))),
    ...prefixed('original-', originals),
    ...prefixed('', diagnosis),
  }
  const tooLarge = Buffer.byteLength(JSON.stringify(table)) > MAX_TABLE_BYTES
  return {
    ...kept,
    deliveryMode: 2,
    headers: tooLarge ? prefixed('', { ...diagnosis, 'headers-dropped': true }) : table,
  }
}

function prefixed(infix: string, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [`${HEADER_PREFIX}${infix}${name}`, value]),
  )
}
