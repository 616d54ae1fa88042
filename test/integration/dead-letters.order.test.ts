import { connect } from 'amqplib'
import { expect } from 'vitest'
import { replay } from '../../src/operate/dead-letters/replay.ts'
import type { Broker } from '../support/broker-api.ts'
import { eventually } from '../support/eventually.ts'
import { ANY, QUIET, test } from '../support/letter-places.ts'
import { publishAll } from '../support/messages.ts'

/* The order of letters that stay, in a quorum queue. */

/** By one consumer: one by one they would take a minute. */
async function bodiesIn(broker: Broker, queue: string, count: number): Promise<string[]> {
  const bodies: string[] = []
  const connection = await connect(broker.url)
  try {
    const channel = await connection.createChannel()
    const take = (message: { content: Buffer } | null) => void bodies.push(`${message?.content}`)
    await channel.consume(queue, take, { noAck: true })
    await eventually('all are there', () => bodies.length >= count)
  } finally {
    await connection.close()
  }
  return bodies
}

test.for([300, 1_500])(
  '%i letters that stay keep their order at a slow rate',
  async (count, { broker, queue, at }) => {
    const bodies = Array.from({ length: count }, (_, index) => `${index}`)
    await publishAll(broker, queue, bodies, {}, 'quorum')
    const order = { selection: ANY, to: undefined, rate: 6 / 3_600 }
    // None says where it came from.
    const { seen } = await replay(at(queue), order, QUIET, new AbortController().signal)
    expect(seen).toBe(count)
    expect(await bodiesIn(broker, queue, count)).toEqual(bodies)
  },
)
