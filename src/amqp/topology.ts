import type { ChannelModel } from 'amqplib'
import { BrokerError } from './broker-error.ts'
import { onOwnChannel } from './own-channel.ts'
import { describeQueue, type Queue } from './queue.ts'
import type { QueueAges } from './queue-ages.ts'
import { queueError } from './queue-error.ts'
import { meaningOf, replyOf } from './reply.ts'

/** The queues that must be there before anything is consumed or published. */
export interface Topology {
  readonly queues: readonly Queue[]
  /** False: nothing is ever declared. */
  readonly declare: boolean
  /** Hears of each queue that was looked for. */
  readonly ages?: QueueAges
}

/**
 * Takes a queue that exists as it is, or insists on its arguments where they matter, and declares those that are absent.
 *
 * @throws {BrokerError} QUEUE_MISSING (all of them in one message), QUEUE_REFUSED or UNREACHABLE
 */
export async function ensureQueues(connection: ChannelModel, topology: Topology): Promise<void> {
  if (await areAllThere(connection, topology)) return
  const { queues, declare, ages } = topology
  // Undefined where it is missing.
  const ensure = async (queue: Queue): Promise<Queue | undefined> => {
    const found = await exists(connection, queue)
    if (!found && !declare) return undefined
    if (declare && (queue.exact || !found)) await declareQueue(connection, queue)
    ages?.seen(queue, !found)
    return queue
  }
  const looks = await Promise.allSettled(queues.map(ensure))
  const failed = looks.find((look) => look.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  const missing = queues.filter(
    (_, index) => looks[index]?.status === 'fulfilled' && looks[index].value === undefined,
  )
  if (missing.length === 0) return
  const list = missing.map(describeQueue).join(', ')
  throw new BrokerError('QUEUE_MISSING', `missing, and --no-declare forbids to declare: ${list}`)
}

/**
 * Looks for all of them on one channel: mostly they are there, as we have declared them, and a channel for each look takes the broker
 * longer than the look. The first that is not there, or other than it should be, closes the channel.
 */
async function areAllThere(connection: ChannelModel, { queues, declare, ages }: Topology): Promise<boolean> {
  let [lookedFor] = queues
  if (lookedFor === undefined) return true
  try {
    await onOwnChannel(connection, async (channel) => {
      for (const queue of queues) {
        lookedFor = queue
        await channel.checkQueue(queue.name)
        if (declare && queue.exact) await channel.assertQueue(queue.name, asDeclared(queue))
      }
    })
  } catch (error) {
    if (replyOf(error) !== undefined) return false
    throw queueError(lookedFor, error)
  }
  for (const queue of queues) ages?.seen(queue, false)
  return true
}

/** A passive declare has no side effect, and unlike an active one does not mind other arguments. */
export async function exists(connection: ChannelModel, queue: Queue): Promise<boolean> {
  return (await countsOf(connection, queue)) !== undefined
}

/** What the broker counts of a queue. */
export interface QueueCounts {
  /** Ready to be delivered. */
  readonly messages: number
  readonly consumers: number
}

/**
 * @returns undefined where there is no such queue
 * @throws {BrokerError}
 */
export async function countsOf(connection: ChannelModel, queue: Queue): Promise<QueueCounts | undefined> {
  let counts: QueueCounts | undefined
  try {
    await onOwnChannel(connection, async (channel) => {
      const { messageCount: messages, consumerCount: consumers } = await channel.checkQueue(queue.name)
      counts = { messages, consumers }
    })
    return counts
  } catch (error) {
    const reply = replyOf(error)
    if (reply !== undefined && meaningOf(reply).code === 'QUEUE_MISSING') return undefined
    throw queueError(queue, error)
  }
}

async function declareQueue(connection: ChannelModel, queue: Queue): Promise<void> {
  try {
    await onOwnChannel(connection, (channel) => channel.assertQueue(queue.name, asDeclared(queue)))
  } catch (error) {
    throw queueError(queue, error)
  }
}

const asDeclared = ({ arguments: given }: Queue) => ({ durable: true, arguments: given })
