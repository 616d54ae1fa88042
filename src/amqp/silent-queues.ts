import type { ChannelModel } from 'amqplib'
import { onOwnChannel } from './own-channel.ts'
import type { Queue } from './queue.ts'
import { meaningOf, replyOf } from './reply.ts'

/*
 * A quorum queue without a leader still answers queue.declare: as one that is empty. It takes messages and confirms none, and
 * answers neither basic.get nor basic.consume.
 */

/** Those that may fall silent. */
export function quorumQueues(queues: readonly Queue[]): readonly Queue[] {
  return queues.filter(({ arguments: { 'x-queue-type': type } }) => type === 'quorum')
}

/** @returns the names of those that do not answer; not of queues that are gone, or that the user may not read from */
export async function silentQueues(
  connection: ChannelModel,
  quorum: readonly Queue[],
): Promise<readonly string[]> {
  const silent = await Promise.all(
    quorum.map(async ({ name }) => ((await answers(connection, name)) ? [] : name)),
  )
  return silent.flat()
}

async function answers(connection: ChannelModel, queue: string): Promise<boolean> {
  try {
    await onOwnChannel(connection, async (channel) => {
      const { messageCount } = await channel.checkQueue(queue)
      // Only its leader knows of any.
      if (messageCount > 0) return
      const message = await channel.get(queue)
      if (message !== false) channel.nack(message)
    })
    return true
  } catch (error) {
    const reply = replyOf(error)
    return reply !== undefined && (reply.code === 403 || meaningOf(reply).code === 'QUEUE_MISSING')
  }
}
