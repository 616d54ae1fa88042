import { type ChannelModel, type ConfirmChannel, type ConsumeMessage, connect, type Options } from 'amqplib'
import type { Broker } from './broker-api.ts'

/** Who asks, and waits for answers without a queue (direct reply-to). */
export interface Caller {
  /** What came back, oldest first. */
  readonly answers: readonly ConsumeMessage[]
  ask(queue: string, body: unknown, properties?: Options.Publish): Promise<void>
  /** Idempotent. */
  hangUp(): Promise<void>
}

export async function startCaller(broker: Pick<Broker, 'url'>): Promise<Caller> {
  const connection = await connect(broker.url)
  const channel = await openChannel(connection)
  const answers: ConsumeMessage[] = []
  const take = (message: ConsumeMessage | null) => void (message !== null && answers.push(message))
  await channel.consume('amq.rabbitmq.reply-to', take, { noAck: true })
  let open = true
  return {
    answers,
    async ask(queue, body, properties = {}) {
      const content = Buffer.from(JSON.stringify(body))
      channel.publish('', queue, content, {
        persistent: true,
        replyTo: 'amq.rabbitmq.reply-to',
        ...properties,
      })
      await channel.waitForConfirms()
    },
    async hangUp() {
      if (open) await connection.close()
      open = false
    },
  }
}

async function openChannel(connection: ChannelModel): Promise<ConfirmChannel> {
  // A broker that is killed ends it.
  connection.on('error', () => {})
  const channel = await connection.createConfirmChannel()
  channel.on('error', () => {})
  return channel
}
