import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib'
import { asBrokerError, BrokerError } from './broker-error.ts'
import { onOwnChannel } from './own-channel.ts'
import { replyOf } from './reply.ts'

/*
 * AMQP has no request for the time. But RabbitMQ notes when it has moved a message that has expired (the header x-death): of a message of
 * ours, between two queues that are ours alone and go with the channel's end.
 */

/**
 * @returns seconds since the epoch, by the broker's clock; undefined where the user may not have queues of its own
 * @throws {BrokerError}
 */
export async function timeOf(connection: ChannelModel): Promise<number | undefined> {
  let time: number | undefined
  try {
    await onOwnChannel(connection, async (channel) => {
      const { queue: target } = await channel.assertQueue('', { exclusive: true })
      const { queue: expiring } = await channel.assertQueue('', {
        exclusive: true,
        messageTtl: 0,
        deadLetterExchange: '',
        deadLetterRoutingKey: target,
      })
      const moved = nextOf(channel, target)
      channel.sendToQueue(expiring, Buffer.alloc(0))
      time = timeIn(await moved)
      await channel.deleteQueue(expiring)
      await channel.deleteQueue(target)
    })
  } catch (error) {
    if (replyOf(error)?.code === 403) return undefined
    throw error instanceof BrokerError ? error : asBrokerError(error, 'the look at its clock')
  }
  return time
}

function nextOf(channel: Channel, queue: string): Promise<ConsumeMessage | null> {
  return new Promise((resolve, reject) => {
    channel.on('error', reject)
    channel.consume(queue, resolve, { noAck: true }).catch(reject)
  })
}

/** amqplib gives a time as `{ '!': 'timestamp', value }`. */
function timeIn(message: ConsumeMessage | null): number | undefined {
  const [death] = (message?.properties.headers?.['x-death'] ?? []) as { readonly time?: unknown }[]
  const value = (death?.time as { readonly value?: unknown } | undefined)?.value
  return typeof value === 'number' ? value : undefined
}
