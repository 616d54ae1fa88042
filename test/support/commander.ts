import { randomUUID } from 'node:crypto'
import { connect, type Options } from 'amqplib'
import {
  CONTROL_EXCHANGE,
  CONTROL_TYPE,
  type Command,
  type DaemonReport,
} from '../../src/control/protocol.ts'
import type { Broker } from './broker-api.ts'

/** Somebody who tells daemons what to do, and hears their answers. */
export interface Commander {
  /** Every answer so far, of whatever correlation id. */
  readonly answers: readonly { readonly correlationId: string; readonly report: DaemonReport }[]
  /** Publishes to the exchange. @returns the correlation id */
  say(verb: string, command?: Command | Buffer, properties?: Options.Publish): string
  /** The same into a queue, by its type. */
  sayIn(queue: string, verb: string, properties?: Options.Publish): string
  /** Resolves with the first answer to that command. */
  ask(verb: string, command?: Command): Promise<DaemonReport>
  answerTo(correlationId: string): DaemonReport | undefined
  hangUp(): Promise<void>
}

const DIRECT_REPLY_TO = 'amq.rabbitmq.reply-to'

/** A command may come to a daemon that does not listen yet: it is repeated until somebody answers. */
const REPEAT = 500

export async function startCommander(broker: Pick<Broker, 'url'>): Promise<Commander> {
  const connection = await connect(broker.url)
  const channel = await connection.createChannel()
  const answers: { correlationId: string; report: DaemonReport }[] = []
  const hear = ({ properties, content }: { properties: { correlationId: string }; content: Buffer }) =>
    answers.push({ correlationId: properties.correlationId, report: JSON.parse(content.toString()) })
  await channel.consume(DIRECT_REPLY_TO, (message) => message && hear(message), { noAck: true })
  await channel.assertExchange(CONTROL_EXCHANGE, 'topic', { durable: true })

  const answerTo = (id: string) => answers.find(({ correlationId }) => correlationId === id)?.report
  const properties = (given: Options.Publish): Options.Publish & { correlationId: string } => ({
    replyTo: DIRECT_REPLY_TO,
    correlationId: randomUUID(),
    ...given,
  })
  const say: Commander['say'] = (verb, command = {}, given = {}) => {
    const body = Buffer.isBuffer(command) ? command : Buffer.from(JSON.stringify(command))
    const options = properties(given)
    channel.publish(CONTROL_EXCHANGE, verb, body, options)
    return options.correlationId
  }
  return {
    answers,
    answerTo,
    say,
    sayIn(queue, verb, given = {}) {
      const options = properties(given)
      channel.sendToQueue(queue, Buffer.from('{}'), { type: CONTROL_TYPE + verb, ...options })
      return options.correlationId
    },
    async ask(verb, command) {
      for (let tries = 0; tries < 40; tries += 1) {
        const id = say(verb, command)
        for (const end = performance.now() + REPEAT; performance.now() < end; ) {
          await new Promise((resolve) => setTimeout(resolve, 5))
          const report = answerTo(id)
          if (report !== undefined) return report
        }
      }
      throw new Error(`nobody answers ${verb}`)
    },
    async hangUp() {
      await connection.close()
    },
  }
}
