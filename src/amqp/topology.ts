import type { Channel, ChannelModel } from 'amqplib'
import { asBrokerError, BrokerError, withDeadline } from './broker-error.ts'
import { RPC_TIMEOUT } from './connection.ts'

export type QueueType = 'classic' | 'quorum'

/** The queues that must be there before anything is consumed or published. */
export interface Topology {
  readonly queues: readonly string[]
  /** Of queues that are absent and get declared. */
  readonly queueType: QueueType
  /** False: nothing is ever declared. */
  readonly declare: boolean
}

/**
 * Takes every queue that exists as it is, whatever its arguments, and declares those that are absent: durable,
 * not exclusive, not auto-delete.
 *
 * @throws {BrokerError} QUEUE_MISSING (all of them in one message), QUEUE_REFUSED or UNREACHABLE
 */
export async function ensureQueues(connection: ChannelModel, topology: Topology): Promise<void> {
  const missing: string[] = []
  for (const queue of topology.queues) {
    if (await exists(connection, queue)) continue
    if (topology.declare) await declare(connection, queue, topology.queueType)
    else missing.push(queue)
  }
  if (missing.length === 0) return
  const list = missing.map((queue) => `"${queue}" (durable, x-queue-type ${topology.queueType})`).join(', ')
  throw new BrokerError('QUEUE_MISSING', `missing, and --no-declare forbids to declare: ${list}`)
}

/** A passive declare has no side effect, and unlike an active one does not mind other arguments. */
async function exists(connection: ChannelModel, queue: string): Promise<boolean> {
  try {
    await onOwnChannel(connection, (channel) => channel.checkQueue(queue))
    return true
  } catch (error) {
    if (replyCode(error) === 404) return false
    throw queueError(queue, error)
  }
}

async function declare(connection: ChannelModel, queue: string, type: QueueType): Promise<void> {
  try {
    await onOwnChannel(connection, (channel) =>
      channel.assertQueue(queue, {
        durable: true,
        // Classic is the broker's default; naming it would conflict with others who declare without arguments.
        ...(type === 'quorum' ? { arguments: { 'x-queue-type': 'quorum' } } : {}),
      }),
    )
  } catch (error) {
    throw queueError(queue, error)
  }
}

/** A refused method closes its channel, so each question gets one of its own. */
async function onOwnChannel(
  connection: ChannelModel,
  ask: (channel: Channel) => Promise<unknown>,
): Promise<void> {
  const channel = await withDeadline(connection.createChannel(), RPC_TIMEOUT, 'channel.open')
  channel.on('error', () => {})
  await withDeadline(ask(channel), RPC_TIMEOUT, 'queue.declare')
  await withDeadline(channel.close(), RPC_TIMEOUT, 'channel.close')
}

/** The code with which the broker closed a channel (AMQP 0-9-1, section 1.4.1 of the domains), if it did. */
function replyCode(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined
}

function queueError(queue: string, cause: unknown): BrokerError {
  if (replyCode(cause) === undefined) return asBrokerError(cause, `the look-up of queue "${queue}"`)
  const answer = cause instanceof Error ? cause.message : String(cause)
  return new BrokerError(
    'QUEUE_REFUSED',
    `the broker refuses queue "${queue}" (--queue, --dead-letter-queue): ${answer}`,
    { cause },
  )
}
