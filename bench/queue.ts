import { type Channel, type ChannelModel, type ConfirmChannel, connect, type Options } from 'amqplib'
import { eventually } from '../test/support/eventually.ts'
import type { Sample } from './sample.ts'

/** The queue of every contestant: durable, classic, with the dead-letter queue that fpm-bridge declares beside it. */
export const QUEUE = 'commands'

/** Messages between two waits for confirms: amqplib keeps something for each that is not confirmed. */
const CONFIRM_EVERY = 5_000

const JSON_PROPERTIES: Options.Publish = { persistent: true, contentType: 'application/json' }

/** The bench's own view of the queue, over AMQP: it fills it, and looks on while somebody empties it. */
export class BenchQueue {
  readonly #connection: ChannelModel
  readonly #channel: Channel
  readonly #publisher: ConfirmChannel

  static async open(url: string): Promise<BenchQueue> {
    // A message that is published alone must not wait for the acknowledgement of the packet before it.
    const connection = await connect(url, { noDelay: true })
    const queue = new BenchQueue(
      connection,
      await connection.createChannel(),
      await connection.createConfirmChannel(),
    )
    await queue.#channel.assertQueue(QUEUE, { durable: true })
    return queue
  }

  private constructor(connection: ChannelModel, channel: Channel, publisher: ConfirmChannel) {
    this.#connection = connection
    this.#channel = channel
    this.#publisher = publisher
  }

  /** Publishes `count` persistent messages, numbered from 1; resolves when the broker has confirmed them. */
  async fill(
    count: number,
    body: (number: number) => string = numbered,
    properties: Options.Publish = JSON_PROPERTIES,
  ): Promise<void> {
    for (let number = 1; number <= count; number += 1) {
      this.publish(body(number), properties)
      if (number % CONFIRM_EVERY === 0) await this.#publisher.waitForConfirms()
    }
    await this.#publisher.waitForConfirms()
  }

  /** One message, on its way at once. */
  publish(body: string, properties: Options.Publish = JSON_PROPERTIES): void {
    this.#publisher.sendToQueue(QUEUE, Buffer.from(body), properties)
  }

  /** Takes the only message, which somebody else has sent. */
  take(): Promise<Sample> {
    return eventually('the message is in the queue', async () => {
      const message = await this.#channel.get(QUEUE, { noAck: true })
      return message && { body: message.content.toString(), properties: message.properties }
    })
  }

  /** Messages that are ready; those a consumer holds do not count. */
  async ready(): Promise<number> {
    const { messageCount } = await this.#channel.checkQueue(QUEUE)
    return messageCount
  }

  async purge(): Promise<void> {
    await this.#channel.purgeQueue(QUEUE)
  }

  close(): Promise<void> {
    return this.#connection.close()
  }
}

/** The message of the reference system. */
export function numbered(number: number): string {
  return `{"number":"${number}"}`
}
