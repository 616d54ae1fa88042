import { setTimeout as pause } from 'node:timers/promises'
import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib'
import { asBrokerError, BrokerError, channelLimit, isChannelLimit, withDeadline } from './broker-error.ts'
import { RPC_TIMEOUT, reasonOf } from './connection.ts'
import type { QueueAges } from './queue-ages.ts'
import { meaningOf, replyOf, SILENT_QUEUE, withRemedy } from './reply.ts'

/** Milliseconds that a question waits for a channel where the connection has as many as the broker allows, and between two looks. */
const ROOM_TIMEOUT = 2_000
const ROOM_INTERVAL = 20

export type QueueType = 'classic' | 'quorum'

/** A queue of ours: durable, not exclusive, not auto-delete. */
export interface Queue {
  readonly name: string
  /** What it is declared with. */
  readonly arguments: Readonly<Record<string, string | number>>
  /** Whether one that exists must have these arguments, too; otherwise it is taken as it is. */
  readonly exact: boolean
}

/** The queues that must be there before anything is consumed or published. */
export interface Topology {
  readonly queues: readonly Queue[]
  /** False: nothing is ever declared. */
  readonly declare: boolean
  /** Hears of each queue that was looked for. */
  readonly ages?: QueueAges
}

/** A queue that others may have declared before us, in their own way. */
export function plainQueue(name: string, type: QueueType): Queue {
  // Classic is the broker's default; naming it would conflict with others who declare without arguments.
  return { name, arguments: type === 'quorum' ? { 'x-queue-type': 'quorum' } : {}, exact: false }
}

/**
 * A queue whose messages go to `target` after `delay` milliseconds. A classic queue can lose what has expired in it to a
 * crash of the broker; a quorum queue keeps each until the target has confirmed it (RabbitMQ 3.10 and later), as long
 * as it rejects what is too much for it. It never expires itself: it would take its messages along.
 */
export function delayQueue(name: string, delay: number, target: string): Queue {
  return {
    name,
    arguments: {
      'x-queue-type': 'quorum',
      'x-message-ttl': delay,
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': target,
      'x-dead-letter-strategy': 'at-least-once',
      'x-overflow': 'reject-publish',
    },
    exact: true,
  }
}

/**
 * Takes a queue that exists as it is, or insists on its arguments where they matter, and declares those that are absent.
 *
 * @throws {BrokerError} QUEUE_MISSING (all of them in one message), QUEUE_REFUSED or UNREACHABLE
 */
export async function ensureQueues(
  connection: ChannelModel,
  { queues, declare, ages }: Topology,
): Promise<void> {
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
  const list = missing.map(describe).join(', ')
  throw new BrokerError('QUEUE_MISSING', `missing, and --no-declare forbids to declare: ${list}`)
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
    await onOwnChannel(connection, (channel) =>
      channel.assertQueue(queue.name, { durable: true, arguments: queue.arguments }),
    )
  } catch (error) {
    throw queueError(queue, error)
  }
}

/** A refused method closes its channel, so each question gets one of its own. */
export function onOwnChannel(
  connection: ChannelModel,
  ask: (channel: Channel) => Promise<unknown>,
): Promise<void> {
  return onChannel(connection, () => connection.createChannel(), ask)
}

/** The same, with confirms. */
export function onOwnConfirmChannel(
  connection: ChannelModel,
  ask: (channel: ConfirmChannel) => Promise<unknown>,
): Promise<void> {
  return onChannel(connection, () => connection.createConfirmChannel(), ask)
}

async function onChannel<C extends Channel>(
  connection: ChannelModel,
  open: () => Promise<C>,
  ask: (channel: C) => Promise<unknown>,
): Promise<void> {
  const opening = whenThereIsRoom(open)
  try {
    const channel = await withDeadline(opening, RPC_TIMEOUT, 'channel.open')
    channel.on('error', () => {})
    await withDeadline(ask(channel), RPC_TIMEOUT, 'queue.declare')
    await withDeadline(channel.close(), RPC_TIMEOUT, 'channel.close')
  } catch (error) {
    // A broker in alarm may answer hours later, and channels that stay open are at some time all that a connection has.
    opening.then((channel) => channel.close()).catch(() => {})
    throw isChannelLimit(error) ? channelLimit(error) : reasonOf(connection, error)
  }
}

/** Many who share the connection may ask at the same time, and be done in a moment. */
async function whenThereIsRoom<C extends Channel>(open: () => Promise<C>): Promise<C> {
  const end = performance.now() + ROOM_TIMEOUT
  for (;;) {
    try {
      return await open()
    } catch (error) {
      if (!isChannelLimit(error) || performance.now() >= end) throw error
      await pause(ROOM_INTERVAL)
    }
  }
}

/** What came of looking for a queue, or of declaring it. */
export function queueError(queue: Queue, cause: unknown): BrokerError {
  const options = queue.exact ? '--retry-delay, --retry-max-delay' : '--queue, --dead-letter-queue'
  const remedy =
    replyOf(cause)?.code === 406 && queue.exact
      ? `delete the queue when it is empty, or choose other delays. It is declared as ${describe(queue)}`
      : undefined
  return refusal(queue.name, options, cause, `the look-up of queue "${queue.name}"`, remedy)
}

/**
 * What came of looking for the marker of a queue that is paused, of putting it there, or of taking it away.
 *
 * @param permission what a refusal asks for, where that is known
 */
export function markerError(marker: string, cause: unknown, permission?: string): BrokerError {
  const remedy = permission && `give the user the permission to ${permission} (rabbitmqctl set_permissions)`
  return refusal(marker, '--control', cause, `the look for queue "${marker}"`, remedy)
}

/** What came of basic.consume: the user may not read from the queue, or somebody else alone may. */
export function consumeError(queue: string, cause: unknown): BrokerError {
  return refusal(queue, '--queue', cause, `the start of the consumer of queue "${queue}"`)
}

function refusal(
  queue: string,
  options: string,
  cause: unknown,
  during: string,
  remedy?: string,
): BrokerError {
  const reply = replyOf(cause)
  if (cause instanceof BrokerError && cause.code === 'UNREACHABLE')
    return new BrokerError(cause.code, withRemedy(`queue "${queue}": ${cause.message}`, SILENT_QUEUE), {
      cause,
    })
  if (reply === undefined) return asBrokerError(cause, during)
  const { code, remedy: usual } = meaningOf(reply)
  const who = code === 'UNREACHABLE' ? 'at the moment the broker refuses' : 'the broker refuses'
  const answer = `${who} queue "${queue}" (${options}): ${reply.text}`
  // A queue that was there a moment ago may be again: the next session looks for it.
  const passing = code === 'QUEUE_MISSING' ? 'UNREACHABLE' : code
  return new BrokerError(passing, withRemedy(answer, remedy ?? usual), { cause })
}

function describe({ name, arguments: given }: Queue): string {
  const list = Object.entries(given).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
  return `"${name}" (${['durable', ...list].join(', ')})`
}
