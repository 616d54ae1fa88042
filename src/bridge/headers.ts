import type { BridgePolicy, Delivery } from './ports.ts'

/** Our own headers. Those that a message brings along are dropped: anyone can forge them. */
export const HEADER_PREFIX = 'x-fpm-bridge-'
// Those that each message is asked for: putting a name together costs more than looking it up.
const ATTEMPT = `${HEADER_PREFIX}attempt`
const UNREAD = `${HEADER_PREFIX}unread`
const DEAD_LETTERED = `${HEADER_PREFIX}dead-lettered`
const QUEUE = `${HEADER_PREFIX}queue`
const EXCHANGE = `${HEADER_PREFIX}exchange`
const ROUTING_KEY = `${HEADER_PREFIX}routing-key`

/** How often a message has come back to its quorum queue, as RabbitMQ counts; on other queues it is the publisher's word. */
export const DELIVERY_COUNT = 'x-delivery-count'

/**
 * After so many returns a message is put back as a new one. A quorum queue of RabbitMQ 4 drops what comes back more than 20
 * times, unless it is told otherwise.
 */
const MAX_DELIVERY_COUNT = 10

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
export function deliveryCountOf({ properties }: Delivery): number {
  const value = properties.headers?.[DELIVERY_COUNT]
  return Number.isSafeInteger(value) ? Math.max(0, value as number) : 0
}

/** Whether its quorum queue may soon drop it for that. */
export function isDeliveryCountHigh(delivery: Delivery): boolean {
  return deliveryCountOf(delivery) >= MAX_DELIVERY_COUNT
}

/**
 * Where the message was published to, before our copies, as the last of them says; the delivery itself where it is none. Whoever may
 * publish by way of the default exchange can make one up: nothing that the broker vouches for goes through a retry queue.
 */
export function originOf(delivery: Delivery, config: BridgePolicy): { exchange: string; routingKey: string } {
  const exchange = delivery.properties.headers?.[EXCHANGE]
  const routingKey = delivery.properties.headers?.[ROUTING_KEY]
  if (isCopy(delivery, config) && typeof exchange === 'string' && typeof routingKey === 'string') {
    return { exchange, routingKey }
  }
  return delivery
}

/** Our copies come by way of the default exchange, and say which queue they came from. */
export function isCopy({ exchange, routingKey, properties }: Delivery, { queue }: BridgePolicy): boolean {
  return exchange === '' && routingKey === queue && properties.headers?.[QUEUE] === queue
}
