import type { ChannelModel } from 'amqplib'
import { BrokerError } from './broker-error.ts'
import type { Queue } from './queue.ts'
import { natureOf, type QueueNature } from './queue-nature.ts'
import type { Topology } from './topology.ts'

/** What is to be said of a queue that is taken all the same. */
export interface Finding {
  /** `unknown`: the user may not ask. */
  readonly kind: 'transient' | 'unknown'
  readonly queue: string
  readonly reason: string
}

export interface Demands {
  /** The queue that is consumed from, if one is. */
  readonly consumed: string | undefined
  /** Whether queues are taken that lose their messages some day. */
  readonly allowTransient: boolean
}

/**
 * Looks whether the queues, which exist, keep what is in them. Those that we insist on the arguments of do.
 *
 * @throws {BrokerError} QUEUE_UNFIT with what would be lost, and when
 */
export async function examineQueues(
  connection: ChannelModel,
  { queues, declare }: Topology,
  demands: Demands,
): Promise<readonly Finding[]> {
  const others = queues.filter(({ exact }) => !exact)
  const natures = await Promise.all(others.map((queue) => natureOf(connection, queue, declare)))
  const findings = others.map((queue, index) => judge(queue, natures[index], demands))
  return findings.filter((finding) => finding !== undefined)
}

/**
 * @param nature undefined where the user may not ask
 * @returns what is to be said of a queue that is taken all the same
 * @throws {BrokerError} QUEUE_UNFIT
 */
export function judge(
  { name }: Queue,
  nature: QueueNature | undefined,
  { consumed, allowTransient }: Demands,
): Finding | undefined {
  if (nature === undefined) return unknown(name, 'the user may not configure it')
  const isConsumed = name === consumed
  const option = isConsumed ? '--queue' : '--dead-letter-queue'
  if (isConsumed && nature.type === 'stream') throw unfit(name, option, STREAM)
  const reason = losses(nature, isConsumed).join('; ')
  if (reason !== '') {
    if (allowTransient) return { kind: 'transient', queue: name, reason }
    throw unfit(
      name,
      option,
      `${reason}. Empty and delete it, and have it declared anew (durable, with nothing else), or accept that with --allow-transient-queue`,
    )
  }
  return nature.type === undefined
    ? unknown(name, 'the broker cuts off what it says of so long a name')
    : undefined
}

function unknown(queue: string, why: string): Finding {
  return { kind: 'unknown', queue, reason: `whether it keeps its messages is not known: ${why}` }
}

/**
 * As a dead-letter queue a stream keeps its messages: it confirms them like any other, and forgets none before its retention says
 * so.
 */
const STREAM =
  'it is a stream: a consumer gets what is published after it has begun to consume, an ack takes nothing off, and what comes while no daemon consumes, or while one holds, is skipped. Bind a classic or quorum queue to the exchange, and consume that'

/** What such a queue loses, and when. */
function losses({ durable, autoDelete, expires }: QueueNature, consumed: boolean): string[] {
  const found: string[] = []
  if (autoDelete) {
    const when = consumed
      ? 'when the last daemon stops, loses its connection, or stops consuming during a long hold'
      : 'when the last one who reads from it has read'
    found.push(`it is auto-delete: the broker deletes it, with all messages in it, ${when}`)
  }
  if (!durable)
    found.push('it is not durable: the broker deletes it, with all messages in it, when it restarts')
  if (expires !== undefined) {
    const unused = consumed ? 'no daemon has consumed from it' : 'nobody has read from it'
    found.push(
      `it expires (x-expires): the broker deletes it, with all messages in it, when ${unused} for ${expires} ms`,
    )
  }
  return found
}

function unfit(queue: string, option: string, reason: string): BrokerError {
  return new BrokerError('QUEUE_UNFIT', `queue "${queue}" (${option}) does not keep its messages: ${reason}`)
}
