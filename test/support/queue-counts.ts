import { connect } from 'amqplib'
import { expect } from 'vitest'
import type { Broker } from './broker-api.ts'
import { eventually } from './eventually.ts'

/** What a queue holds at this moment, from the queue itself; undefined when there is none. Takes milliseconds. */
export async function countsOf(
  broker: Pick<Broker, 'queues'>,
  queue: string,
): Promise<{ ready: number; unacked: number } | undefined> {
  const found = (await broker.queues()).find(({ name }) => name === queue)
  return found && { ready: found.ready, unacked: found.unacked }
}

/**
 * Resolves when the queue holds just that. Whoever has acked messages or handed them back knows it before the queue does, even
 * when it has closed its connection since.
 */
export async function expectCounts(
  broker: Pick<Broker, 'queues'>,
  queue: string,
  counts: { readonly ready: number; readonly unacked: number },
): Promise<void> {
  await eventually(`${queue} holds ${JSON.stringify(counts)}`, async () => {
    expect(await countsOf(broker, queue)).toEqual(counts)
    return true
  })
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
