import type { Diagnosis } from './outcome.ts'
import type { BridgeConfig, Delivery, MessageProperties } from './ports.ts'

/** Our own headers. Those that a message brings along are dropped: anyone can forge them. */
export const HEADER_PREFIX = 'x-fpm-bridge-'
// Those that each message is asked for: putting a name together costs more than looking it up.
const ATTEMPT = `${HEADER_PREFIX}attempt`
const UNREAD = `${HEADER_PREFIX}unread`
const DEAD_LETTERED = `${HEADER_PREFIX}dead-lettered`
const QUEUE = `${HEADER_PREFIX}queue`
const EXCHANGE = `${HEADER_PREFIX}exchange`
const ROUTING_KEY = `${HEADER_PREFIX}routing-key`

/** A larger table does not fit the frame a broker takes (frame_max is 128 KiB by default); the copy goes without. */
const MAX_TABLE_BYTES = 60 * 1024

/** How often a message has come back to its quorum queue, as RabbitMQ counts; on other queues it is the publisher's word. */
const RETURNS = 'x-delivery-count'

/**
 * After so many returns a message is put back as a new one. A quorum queue of RabbitMQ 4 drops what comes back more than 20
 * times, unless it is told otherwise.
 */
const MAX_RETURNS = 10

/** What is taken off copies that are to be executed; see copyProperties. */
const NOT_FOR_EXECUTION = ['x-death', RETURNS]

/** Characters of the worker's stderr that a copy carries. */
const MAX_STDERR = 2_048

/** What a copy tells of the executions so far. */
export interface CopyNotes extends Diagnosis {
  /** Executions so far. */
  readonly attempt: number
  /** Milliseconds of the last of them. */
  readonly durationMs?: number
  /** How often in a row, up to now, the pool has not read the message whole. */
  readonly unread?: number
}

/** Copies for another queue of ours, and those that come back to be executed. */
export type CopyPurpose = 'dead-letter' | 'execute'

/**
 * The properties of a copy: those of the message, made safe to publish again, and what we have to say about it.
 *
 * - `user_id` must be the publisher's own user, or the broker closes the channel;
 * - `expiration` would let the copy expire in its new queue;
 * - the headers `CC` and `BCC` would send it to further queues, even back to its own.
 *
 * They are kept as `x-fpm-bridge-original-*`, where nobody acts on them.
 *
 * - `x-death` is taken off what comes back: RabbitMQ 3 drops a message that, by this header, has been dead-lettered
 *   out of the queue it is about to enter, as if it ran in a circle (rabbit_dead_letter.erl, is_cycle);
 * - so is `x-delivery-count`: a copy has never come back.
 */
export function copyProperties(
  delivery: Delivery,
  purpose: CopyPurpose,
  notes: CopyNotes,
  config: BridgeConfig,
): MessageProperties {
  const { userId, expiration, headers = {}, ...kept } = delivery.properties
  const { CC: cc, BCC: bcc, ...foreign } = headers
  const own = {
    ...ownHeaders(delivery, notes, config),
    ...(purpose === 'dead-letter' ? { [DEAD_LETTERED]: true } : {}),
  }
  const isKept = (name: string): boolean =>
    !name.startsWith(HEADER_PREFIX) && !(purpose === 'execute' && NOT_FOR_EXECUTION.includes(name))
  const table = {
    ...Object.fromEntries(Object.entries(foreign).filter(([name]) => isKept(name))),
    ...originals(delivery, config),
    ...prefixed('original-', { 'user-id': userId, expiration, cc, bcc }),
    ...own,
  }
  const tooLarge = encodedBytes(table) > MAX_TABLE_BYTES
  return { ...kept, deliveryMode: 2, headers: tooLarge ? withoutForeign(own) : table }
}

/** For a message whose own header table cannot be published again: ours alone, and what properties AMQP can express. */
export function bareProperties(
  delivery: Delivery,
  notes: CopyNotes,
  config: BridgeConfig,
): MessageProperties {
  const { userId: _user, expiration: _expiration, headers: _headers, ...kept } = delivery.properties
  const expressible = Object.entries(kept).filter(([, value]) => isExpressible(value))
  return {
    ...Object.fromEntries(expressible),
    deliveryMode: 2,
    headers: withoutForeign(ownHeaders(delivery, notes, config)),
  }
}

/** Executions of the message so far, as its last copy says. Anyone can forge it, so it is only ever believed up to a limit. */
export function executionsOf(delivery: Delivery): number {
  return countOf(delivery, ATTEMPT)
}

/** How often in a row the pool has left the message unread, as its last copy says. A forged one costs it no more than attempts. */
export function unreadOf(delivery: Delivery): number {
  return countOf(delivery, UNREAD)
}

/** What the last copy has counted; 0 for a dead letter that somebody has put back: it begins anew. */
function countOf({ properties: { headers } }: Delivery, name: string): number {
  if (headers === undefined || headers[DEAD_LETTERED] === true) return 0
  const value = headers[name]
  return Number.isSafeInteger(value) ? Math.max(0, value as number) : 0
}

/** How often the message has come back to its quorum queue without having been settled; 0 where nobody counts. */
export function returnsOf({ properties }: Delivery): number {
  const value = properties.headers?.[RETURNS]
  return Number.isSafeInteger(value) ? Math.max(0, value as number) : 0
}

/** Whether its quorum queue may soon drop it for that. */
export function returnsTooOften(delivery: Delivery): boolean {
  return returnsOf(delivery) >= MAX_RETURNS
}

/** Where the message was published to, before our copies. */
export function originOf(delivery: Delivery, config: BridgeConfig): { exchange: string; routingKey: string } {
  const exchange = delivery.properties.headers?.[EXCHANGE]
  const routingKey = delivery.properties.headers?.[ROUTING_KEY]
  if (isCopy(delivery, config) && typeof exchange === 'string' && typeof routingKey === 'string') {
    return { exchange, routingKey }
  }
  return delivery
}

/** Our copies come by way of the default exchange, and say which queue they came from. */
function isCopy({ exchange, routingKey, properties }: Delivery, { queue }: BridgeConfig): boolean {
  return exchange === '' && routingKey === queue && properties.headers?.[QUEUE] === queue
}

/** What an earlier copy kept. To be read, never to be relied on. */
function originals(delivery: Delivery, config: BridgeConfig): Record<string, unknown> {
  if (!isCopy(delivery, config)) return {}
  const headers = Object.entries(delivery.properties.headers ?? {})
  return Object.fromEntries(headers.filter(([name]) => name.startsWith(`${HEADER_PREFIX}original-`)))
}

function ownHeaders(delivery: Delivery, notes: CopyNotes, config: BridgeConfig): Record<string, unknown> {
  const { reason, status, stderr, subject, attempt, durationMs, unread } = notes
  const { exchange, routingKey } = originOf(delivery, config)
  return prefixed('', {
    attempt,
    reason,
    // A status that could not be read is NaN, for which AMQP has no value.
    status: Number.isInteger(status) ? status : undefined,
    stderr: stderr?.slice(0, MAX_STDERR) || undefined,
    subject,
    unread: unread || undefined,
    script: config.script,
    'daemon-id': config.daemonId,
    queue: config.queue,
    exchange,
    'routing-key': routingKey,
    'duration-ms': durationMs,
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

/**
 * A short string holds 255 bytes (AMQP 0-9-1, section 4.2.5.3). A timestamp beyond 2^53 was rounded when it was read, the
 * largest to one that is too large.
 */
function isExpressible(value: unknown): boolean {
  return typeof value === 'string' ? Buffer.byteLength(value) <= 255 : Number.isSafeInteger(value)
}

/** Deeper tables are made to break somebody; encoding them would overflow the stack. */
const MAX_TABLE_DEPTH = 100

/** How many bytes a field value takes at most (AMQP 0-9-1, section 4.2.5.5, and RabbitMQ's errata for it). */
function encodedBytes(value: unknown, depth = 0): number {
  if (depth > MAX_TABLE_DEPTH) return Number.POSITIVE_INFINITY
  if (typeof value === 'string') return 5 + Buffer.byteLength(value)
  // Not instanceof: a byte array in a field called __proto__ is the prototype of amqplib's table.
  if (ArrayBuffer.isView(value)) return 5 + value.byteLength
  if (typeof value !== 'object' || value === null) return 9
  let bytes = 5
  for (const [name, element] of Object.entries(value)) {
    bytes += (Array.isArray(value) ? 0 : 1 + Buffer.byteLength(name)) + encodedBytes(element, depth + 1)
    if (bytes > MAX_TABLE_BYTES) break
  }
  return bytes
}
