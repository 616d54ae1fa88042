import { connect } from 'amqplib'
import { CONTROL_EXCHANGE, type Command } from '../../src/control/protocol.ts'
import type { Broker } from './broker-api.ts'

/** What stands in for daemons at the exchange: it answers commands that name its queue, with whatever it is told to. */
export interface ScriptedFleet {
  /** The verbs that it has heard, in turn. */
  readonly heard: readonly string[]
  close(): Promise<void>
}

/** @param answers the bodies that go back for a command, as they are or as JSON */
export async function startScriptedFleet(
  broker: Pick<Broker, 'url'>,
  queue: string,
  answers: (verb: string) => readonly unknown[],
): Promise<ScriptedFleet> {
  const connection = await connect(broker.url)
  const channel = await connection.createChannel()
  await channel.assertExchange(CONTROL_EXCHANGE, 'topic', { durable: true })
  const { queue: own } = await channel.assertQueue('', { exclusive: true })
  await channel.bindQueue(own, CONTROL_EXCHANGE, '#')
  const heard: string[] = []
  await channel.consume(
    own,
    (message) => {
      const { replyTo, correlationId } = message?.properties ?? {}
      if (message === null || commandIn(message.content).queue !== queue) return
      heard.push(message.fields.routingKey)
      for (const answer of answers(message.fields.routingKey)) {
        const body = Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer))
        channel.sendToQueue(replyTo, body, { correlationId })
      }
    },
    { noAck: true },
  )
  return { heard, close: () => connection.close() }
}

function commandIn(body: Buffer): Command {
  try {
    // Tests of other files say `null`, too.
    return (JSON.parse(body.toString()) ?? {}) as Command
  } catch {
    return {}
  }
}
