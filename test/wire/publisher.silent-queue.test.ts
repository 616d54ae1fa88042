import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, it, vi } from 'vitest'
import { BrokerList } from '../../src/amqp/broker-list.ts'
import { Connections } from '../../src/amqp/connections.ts'
import { ConfirmPublisher } from '../../src/amqp/publisher.ts'
import { plainQueue } from '../../src/amqp/queue.ts'
import { QueueAges } from '../../src/amqp/queue-ages.ts'
import { method, short, shortString } from '../support/amqp-frames.ts'
import { eventually } from '../support/eventually.ts'
import { recordingEvents } from '../support/recording.ts'
import { type Answers, confirm } from '../support/scripted-broker.ts'
import { brokerThat, closedAfterTest } from './after-test.ts'

/*
 * A quorum queue without a leader: it is declared like any other, and then nothing is heard of it.
 */

afterEach(() => {
  vi.useRealTimers()
})

async function publisherTo(answers: Answers, ages = new QueueAges(false)) {
  const broker = await brokerThat(answers)
  const told = recordingEvents()
  const topology = { queues: [plainQueue('q', 'quorum')], declare: true, ages }
  const brokers = new BrokerList([broker.url], told.tell)
  const publisher = new ConfirmPublisher(
    { brokers, connections: new Connections('test'), topology },
    told.tell,
  )
  closedAfterTest(publisher)
  const publish = () =>
    publisher.publish({ queue: 'q', properties: {}, headers: [], body: Buffer.from('{}') })
  return { broker, told, publisher, publish }
}

it('is named when the daemon starts', async () => {
  const gets: number[] = []
  const { broker, told, publisher } = await publisherTo({
    'basic.get': (channel) => {
      gets.push(channel)
      return undefined
    },
  })
  await publisher.connect()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const prepared = publisher.prepare()
  await eventually('it is looked at', () => gets.length > 0)
  // RabbitMQ closes the connection over it, a minute later: not the one that others publish on.
  expect(broker.sockets.size).toBe(2)
  await vi.advanceTimersByTimeAsync(10_000)
  await prepared
  vi.useRealTimers()
  await eventually('it has left', () => broker.sockets.size === 1)
  expect(told.all).toEqual([
    { kind: 'queue-silent', queue: 'q', remedy: expect.stringContaining('rabbitmqctl delete_queue q') },
  ])
})

it.each([
  ['is empty', (channel: number) => method(channel, [60, 72], shortString(''))],
  [
    'may not be read from',
    (channel: number) => method(channel, [20, 40], short(403), shortString('no'), short(60), short(70)),
  ],
  [
    'is gone',
    (channel: number) =>
      method(
        channel,
        [20, 40],
        short(404),
        shortString("NOT_FOUND - no queue 'q' in vhost '/'"),
        short(60),
        short(70),
      ),
  ],
  ['is asked on a connection that ends', 'end' as const],
])('is not what a queue that %s is taken for', async (_, answer) => {
  let looks = 0
  const { broker, told, publisher } = await publisherTo({
    'basic.get': (channel) => {
      looks += 1
      if (answer !== 'end')
        return answer(channel)
        // The younger one.
      ;[...broker.sockets].at(-1)?.destroy()
      return undefined
    },
  })
  await publisher.prepare()
  await eventually('it is looked at', () => looks > 0)
  await eventually('that is over', () => broker.sockets.size === 1)
  // Nothing can be waited for: what is told is told in the turns after that.
  await sleep(20)
  expect(told.all).toEqual([])
})

it('is given up after 30 s without a confirm, and named', async () => {
  let published = 0
  const { publisher, publish } = await publisherTo({
    'basic.publish': () => {
      published += 1
      return undefined
    },
  })
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  await publisher.connect()
  const failed = expect(publish()).rejects.toMatchObject({
    code: 'UNANSWERED',
    message: expect.stringContaining('queue "q" has not confirmed the message within 30000 ms'),
  })
  await eventually('it is published', () => published > 0)
  await vi.advanceTimersByTimeAsync(31_000)
  await failed
})

it('nothing is published into a queue that was just declared', async () => {
  const published: number[] = []
  const { publish } = await publisherTo(
    {
      'basic.publish': (channel, broker) => {
        published.push(performance.now())
        broker.published += 1
        return confirm(channel, broker.published)
      },
    },
    new QueueAges(true),
  )
  const started = performance.now()
  await publish()
  expect((published[0] as number) - started).toBeGreaterThan(2_900)
})
