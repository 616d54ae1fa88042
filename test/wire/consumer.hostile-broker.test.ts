import { describe, expect, it } from 'vitest'
import { BrokerList } from '../../src/amqp/broker-list.ts'
import { Connections } from '../../src/amqp/connections.ts'
import { Consumer } from '../../src/amqp/consumer.ts'
import { plainQueue } from '../../src/amqp/queue.ts'
import type { Delivery } from '../../src/bridge/ports.ts'
import { longString, method, shortString } from '../support/amqp-frames.ts'
import { eventually } from '../support/eventually.ts'
import { recordingEvents } from '../support/recording.ts'
import { type Answers, connectionClose, delivery } from '../support/scripted-broker.ts'
import { brokerThat, leavesAfterTest } from './after-test.ts'

/*
 * Brokers that break the protocol. None may end the process or keep it busy: the session ends with a reason, and another is
 * opened. (An error that nobody catches fails the run.)
 */

const topology = { queues: [plainQueue('q', 'classic')], declare: true }
const consumeOk = (channel: number): Buffer => method(channel, [60, 21], shortString('tag'))
const openOk = (channel: number): Buffer => method(channel, [20, 11], longString(''))

/** A consumer at such a broker, which misbehaves in the first session only. */
async function consumerAt(answers: Answers, accept: (delivery: Delivery) => void = () => {}) {
  const broker = await brokerThat(answers)
  const told = recordingEvents()
  const options = {
    brokers: new BrokerList([broker.url], told.tell),
    connections: new Connections('test'),
    topology,
    queue: 'q',
    consumerTag: 'tag',
    prefetch: 2,
    allowTransient: false,
    delay: () => 10,
  }
  const consumer = leavesAfterTest(new Consumer(options, accept, told.tell))
  const consuming = () => told.of('consuming').length
  const reasons = () => told.all.flatMap((event) => ('reason' in event ? event.reason : []))
  return { consumer, consuming, reasons }
}

describe('the session ends, and the next one is opened, when', () => {
  it.each([
    ['far ahead', [1, 100_000_000]],
    ['the greatest there is', [2 ** 53 - 1]],
    ['zero', [0]],
    ['the same again', [1, 1]],
    ['lower than the one before', [2, 1]],
  ])('a delivery tag is %s', async (_, tags) => {
    let sessions = 0
    const { consumer, consuming, reasons } = await consumerAt(
      {
        'basic.consume': (channel) => {
          sessions += 1
          const given = sessions === 1 ? tags.map((tag) => delivery(channel, tag)) : []
          return Buffer.concat([consumeOk(channel), ...given])
        },
      },
      (each) => each.ack(),
    )
    await consumer.start()
    await eventually('it consumes again', () => consuming() === 2)
    expect(reasons()).toEqual([
      expect.stringMatching(/^the broker numbers its deliveries wrongly: \d+ is out of order$/),
    ])
  })

  it('a delivery comes for a consumer that nobody knows', async () => {
    let sessions = 0
    const { consumer, consuming, reasons } = await consumerAt({
      'basic.consume': (channel) => {
        sessions += 1
        const early = Buffer.concat([delivery(channel, 1), consumeOk(channel)])
        return sessions === 1 ? early : consumeOk(channel)
      },
    })
    await consumer.start()
    await eventually('it consumes', () => consuming() >= 1 && sessions === 2)
    expect(reasons()).toHaveLength(1)
  })

  it.each([
    [
      'before the channel is open',
      (channel: number) => Buffer.concat([delivery(channel, 1), openOk(channel)]),
    ],
    ['in place of an open channel', (channel: number) => delivery(channel, 1)],
    [
      'for a channel that is not there',
      (channel: number) => Buffer.concat([delivery(channel + 5, 1), openOk(channel)]),
    ],
    [
      'as an answer to nothing',
      (channel: number) => Buffer.concat([openOk(channel), openOk(channel), openOk(channel)]),
    ],
    [
      'as a close of nothing',
      (channel: number) => Buffer.concat([method(channel, [20, 41]), openOk(channel)]),
    ],
    ['that makes no sense', (channel: number) => Buffer.concat([method(channel, [90, 90]), openOk(channel)])],
  ])('something comes %s', async (_, first) => {
    // The looks at the queue come first, and then the consumer's own channel.
    for (const spoilt of [1, 2, 3]) {
      let opened = 0
      const { consumer, consuming, reasons } = await consumerAt({
        'channel.open': (channel) => {
          opened += 1
          return opened === spoilt ? first(channel) : openOk(channel)
        },
      })
      await consumer.start()
      await eventually('it consumes', () => consuming() >= 1)
      expect(reasons()).toHaveLength(1)
    }
  })

  it.each([
    ['a delivery', delivery(1, 1)],
    ['a close', connectionClose(320, 'CONNECTION_FORCED')],
    ['a method that makes no sense', method(0, [90, 90])],
    ['a frame of no type', Buffer.from([9, 0, 0, 0, 0, 0, 0, 0xce])],
    ['no frame at all', Buffer.alloc(20, 0xff)],
  ])('%s comes with the opening of the connection', async (_, bytes) => {
    let opened = 0
    const { consumer, consuming, reasons } = await consumerAt({
      'connection.open': () => {
        opened += 1
        const ok = method(0, [10, 41], shortString(''))
        return opened === 1 ? Buffer.concat([ok, bytes]) : ok
      },
    })
    await consumer.start()
    await eventually('it consumes', () => consuming() === 1)
    expect(reasons()).toHaveLength(1)
  })
})
