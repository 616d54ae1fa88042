import type { BridgePolicy, Delivery } from './ports.ts'

/** Our own headers. Those that a message brings along are dropped: anyone can forge them. */
export const HEADER_PREFIX = 'x-fpm-bridge-'
// Those that each message is asked for: putting a name together costs more than looking it up.
export const ATTEMPT_HEADER = `${HEADER_PREFIX}attempt`
const UNREAD = `${HEADER_PREFIX}unread`
const DEAD_LETTERED = `${HEADER_PREFIX}dead-lettered`
const QUEUE = `${HEADER_PREFIX}queue`
const EXCHANGE = `${HEADER_PREFIX}exchange`
const ROUTING_KEY = `${HEADER_PREFIX}routing-key`

/** Says that a dead letter was replayed, which one, and when. */
export const REPLAYED = `${HEADER_PREFIX}replayed`

/** How often a message has come back to its quorum queue, as RabbitMQ counts; on other queues it is the publisher's word. */
export const DELIVERY_COUNT = 'x-delivery-count'

/**
 * After so many returns a message is put back as a new one. A quorum queue of RabbitMQ 4 drops what comes back more than 20
 * times, unless it is told otherwise.
 */
const MAX_DELIVERY_COUNT = 10

/** What a message says of itself: in the headers of our last copy of it, and in those of the broker. */
export interface History {
  /**
   * Executions of the message so far, as its last copy says. Anyone can forge it, so it is only ever believed up to a limit. 0 for a
   * dead letter that somebody has put back: it begins anew.
   */
  readonly executions: number
  /** How often in a row the pool has left it unread, as its last copy says. A forged one costs it no more than attempts. */
  readonly unread: number
  /** How often it has come back to its quorum queue without having been settled; 0 where nobody counts. */
  readonly deliveryCount: number
  /** Our copies come by way of the default exchange, and say which queue they came from. */
  readonly isCopy: boolean
  /**
   * Where it was published to, before our copies; undefined where it is none. Whoever may publish by way of the default exchange
   * can make one up: nothing that the broker vouches for goes through a retry queue.
   */
  readonly origin: Origin | undefined
}

export interface Origin {
  readonly exchange: string
  readonly routingKey: string
}

const NONE: History = { executions: 0, unread: 0, deliveryCount: 0, isCopy: false, origin: undefined }

/** Reads them once, for all that ask. */
export function readHistory(
  { exchange, routingKey, properties: { headers } }: Delivery,
  { queue }: Pick<BridgePolicy, 'queue'>,
): History {
  if (headers === undefined) return NONE
  const beginsAnew = headers[DEAD_LETTERED] === true
  const isCopy = exchange === '' && routingKey === queue && headers[QUEUE] === queue
  return {
    executions: beginsAnew ? 0 : count(headers[ATTEMPT_HEADER]),
    unread: beginsAnew ? 0 : count(headers[UNREAD]),
    deliveryCount: count(headers[DELIVERY_COUNT]),
    isCopy,
    origin: isCopy ? originIn(headers) : undefined,
  }
}

/** Whether its quorum queue may soon drop it since it has come back too often. */
export function isDeliveryCountHigh({ deliveryCount }: History): boolean {
  return deliveryCount >= MAX_DELIVERY_COUNT
}

function originIn(headers: Readonly<Record<string, unknown>>): Origin | undefined {
  const exchange = headers[EXCHANGE]
  const routingKey = headers[ROUTING_KEY]
  return typeof exchange === 'string' && typeof routingKey === 'string' ? { exchange, routingKey } : undefined
}

function count(value: unknown): number {
  return Number.isSafeInteger(value) ? Math.max(0, value as number) : 0
}
