import { BrokerError } from './broker-error.ts'
import type { Lease } from './lease.ts'
import { plainQueue } from './queue.ts'
import { argumentsOf } from './queue-look.ts'
import { natureOf } from './queue-nature.ts'
import { countsOf, type QueueCounts } from './topology.ts'

/** What a queue is before anybody reads from it. */
export interface QueueFacts extends QueueCounts {
  readonly name: string
  /** Undefined where the user may not know. */
  readonly type: string | undefined
  /** How often a message may come back before the broker drops it; infinite where nothing is known of a limit. */
  readonly deliveryLimit: number
}

/** Of quorum queues of RabbitMQ 4, unless they say otherwise. */
const DEFAULT_LIMIT = 20

/** @throws {BrokerError} QUEUE_MISSING, QUEUE_UNFIT, or why it cannot be looked at */
export async function factsOf({ connection }: Lease, name: string): Promise<QueueFacts> {
  const queue = plainQueue(name, 'classic')
  const counts = await countsOf(connection, queue)
  if (counts === undefined)
    throw new BrokerError('QUEUE_MISSING', `there is no queue "${name}" at this broker and vhost`)
  const nature = await natureOf(connection, queue, false)
  if (nature?.autoDelete)
    throw new BrokerError(
      'QUEUE_UNFIT',
      `queue "${name}" is auto-delete: the broker deletes it, with all messages in it, when the last one who reads from it has read. Move them by a shovel, or by a consumer of your own`,
    )
  if (nature?.type === 'stream')
    throw new BrokerError(
      'QUEUE_UNFIT',
      `queue "${name}" is a stream: nothing can be taken out of it, and what is read stays. Dead letters need a classic or a quorum queue`,
    )
  const { version } = connection.connection.serverProperties
  const usual = Number.parseInt(version, 10) >= 4 ? DEFAULT_LIMIT : Number.POSITIVE_INFINITY
  const type = nature?.type
  const limited = type === 'quorum' || type === undefined
  const { 'x-delivery-limit': limit } =
    nature === undefined ? {} : await argumentsOf(connection, queue, nature)
  return {
    name,
    ...counts,
    type,
    deliveryLimit: limited ? (typeof limit === 'number' ? limit : usual) : Number.POSITIVE_INFINITY,
  }
}
