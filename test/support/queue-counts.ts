import { connect } from 'amqplib'
import type { Broker } from './broker-api.ts'

/** What a queue holds at this moment, from the queue itself; undefined when there is none. Takes rabbitmqctl's 1 to 2 s. */
export async function countsOf(
  broker: Pick<Broker, 'queues'>,
  queue: string,
): Promise<{ ready: number; unacked: number } | undefined> {
  const found = (await broker.queues()).find(({ name }) => name === queue)
  return found && { ready: found.ready, unacked: found.unacked }
}

/** How many messages are ready in a queue at this moment. Takes milliseconds. */
export async function readyIn(broker: Pick<Broker, 'url'>, queue: string): Promise<number> {
  const connection = await connect(broker.url)
  try {
    return (await (await connection.createChannel()).checkQueue(queue)).messageCount
  } finally {
    await connection.close()
  }
}
