import { connect, type GetMessage, type Options } from 'amqplib'
import { plainQueue, type QueueType } from '../../src/amqp/queue.ts'
import type { Broker } from './broker-api.ts'

/**
 * Publishes messages to a queue, declared durable first; resolves when the broker has confirmed them all.
 *
 * @param bodies bytes as they are, a string as UTF-8, anything else as JSON
 * @param properties of all of them, or of each by its index
 * @param type of the queue
 */
export async function publishAll(
  broker: Pick<Broker, 'url'>,
  queue: string,
  bodies: readonly unknown[],
  properties: Options.Publish | ((index: number) => Options.Publish) = {},
  type: QueueType = 'classic',
): Promise<void> {
  const connection = await connect(broker.url)
  try {
    const channel = await connection.createConfirmChannel()
    await channel.assertQueue(queue, { durable: true, arguments: plainQueue(queue, type).arguments })
    for (const [index, body] of bodies.entries()) {
      const own = typeof properties === 'function' ? properties(index) : properties
      channel.sendToQueue(queue, encode(body), { persistent: true, ...own })
    }
    await channel.waitForConfirms()
  } finally {
    await connection.close()
  }
}

/** Takes all messages out of a queue. */
export async function takeAll(broker: Pick<Broker, 'url'>, queue: string): Promise<GetMessage[]> {
  const connection = await connect(broker.url)
  try {
    const channel = await connection.createChannel()
    const taken: GetMessage[] = []
    for (let message = await channel.get(queue); message !== false; message = await channel.get(queue)) {
      channel.ack(message)
      taken.push(message)
    }
    await channel.close()
    return taken
  } finally {
    await connection.close()
  }
}

function encode(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}

/** `{"number":1}` to `{"number":count}`. */
export function numbers(count: number): { number: number }[] {
  return Array.from({ length: count }, (_, index) => ({ number: index + 1 }))
}
