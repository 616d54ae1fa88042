import { it } from 'vitest'
import { BrokerList } from '../../src/amqp/broker-list.ts'
import { Connections } from '../../src/amqp/connections.ts'
import { ConfirmPublisher } from '../../src/amqp/publisher.ts'
import { plainQueue } from '../../src/amqp/queue.ts'
import { long, method, short } from '../support/amqp-frames.ts'
import { eventually } from '../support/eventually.ts'
import { tellNobody } from '../support/recording.ts'
import { brokerThat, closedAfterTest } from './after-test.ts'

/*
 * What is published while amqplib's buffer is full waits until it has drained. The buffer counts frames, so that small ones
 * fill it soon.
 */
const FRAME_MAX = 4_096
const tune = method(0, [10, 30], short(2_047), long(FRAME_MAX), short(0))
/** More frames than amqplib keeps for a channel: 1,024 on either side of a stream. */
const body = Buffer.alloc(2_500 * FRAME_MAX)

it('lets everybody go on who waited for a full buffer, also when others have filled it further', async () => {
  const broker = await brokerThat({ 'connection.start-ok': () => tune })
  const topology = { queues: [plainQueue('q', 'classic')], declare: true }
  const publisher = closedAfterTest(
    new ConfirmPublisher(
      { brokers: new BrokerList([broker.url], tellNobody), connections: new Connections('test'), topology },
      tellNobody,
    ),
  )
  const published: number[] = []
  const publish = async (n: number) => {
    await publisher.publish({ queue: 'q', properties: {}, headers: [], body })
    published.push(n)
  }
  await publisher.connect()
  // The second finds the buffer filled by the first, and the third fills it again before it has drained.
  const all = [publish(1), Promise.resolve().then(() => publish(2)), publish(3)]
  await eventually('all are published', () => published.length === 3)
  await Promise.all(all)
})
