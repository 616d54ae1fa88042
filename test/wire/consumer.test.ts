import { expect, it } from 'vitest'
import { BrokerList } from '../../src/amqp/broker-list.ts'
import { Connections } from '../../src/amqp/connections.ts'
import { Consumer } from '../../src/amqp/consumer.ts'
import { plainQueue } from '../../src/amqp/queue.ts'
import { method, shortString } from '../support/amqp-frames.ts'
import { eventually } from '../support/eventually.ts'
import { recordingEvents } from '../support/recording.ts'
import { brokerThat, leavesAfterTest } from './after-test.ts'

/*
 * Pausing: the consumer is cancelled, its session stays open for what runs.
 */

const shortStringAt = (bytes: Buffer, offset: number): string =>
  bytes.toString('latin1', offset + 1, offset + 1 + bytes.readUInt8(offset))

/** A consumer, and what its broker is asked for. `on`: called as the broker gets a method. */
async function consumerOf(on: Readonly<Record<string, (consumer: Consumer) => void>> = {}) {
  const asked: string[] = []
  const broker = await brokerThat({
    'basic.qos': (channel) => {
      on['qos']?.(consumer)
      return method(channel, [60, 11])
    },
    'basic.consume': (channel, _, args) => {
      // After two bytes and the queue's name.
      on['consume']?.(consumer)
      const tag = shortStringAt(args, 4)
      asked.push(`consume ${tag}`)
      return method(channel, [60, 21], shortString(tag))
    },
    'basic.cancel': (channel, _, args) => {
      const tag = shortStringAt(args, 0)
      asked.push(`cancel ${tag}`)
      return method(channel, [60, 31], shortString(tag))
    },
  })
  const topology = { queues: [plainQueue('q', 'classic')], declare: true }
  const told = recordingEvents()
  const options = {
    brokers: new BrokerList([broker.url], told.tell),
    connections: new Connections('test'),
    topology,
    queue: 'q',
    consumerTag: 'tag',
    prefetch: 1,
    allowTransient: false,
    delay: () => 10,
  }
  const consumer = leavesAfterTest(new Consumer(options, () => {}, told.tell))
  return { consumer, broker, asked, told }
}

it('cancels, and consumes again on the same session', async () => {
  const { consumer, broker, asked } = await consumerOf()
  await consumer.start()
  await consumer.pause()
  await consumer.pause()
  expect(asked).toEqual(['consume tag', 'cancel tag'])
  consumer.resume()
  consumer.resume()
  await eventually('it consumes again', () => asked.length >= 3)
  expect(asked).toEqual(['consume tag', 'cancel tag', 'consume tag.002'])
  expect(broker.sockets.size).toBe(1)
})

it('asked for while the session is opened consumes nothing until it is over', async () => {
  const { consumer, asked, told } = await consumerOf({ qos: (starting) => void starting.pause() })
  await consumer.start()
  expect([asked, told.of('consuming')]).toEqual([[], []])
  consumer.resume()
  await eventually('it consumes', () => asked.length >= 1)
  expect(asked).toEqual(['consume tag'])
  expect(told.of('consuming')).toHaveLength(1)
})

it('asked for while the session begins to consume cancels that, and never consumes twice', async () => {
  let begun = false
  const consume = (starting: Consumer): void => {
    if (!begun) void starting.pause()
    begun = true
  }
  const { consumer, asked } = await consumerOf({ consume })
  await consumer.start()
  expect(asked).toEqual(['consume tag', 'cancel tag'])
  consumer.resume()
  await eventually('it consumes again', () => asked.length >= 3)
  expect(asked).toEqual(['consume tag', 'cancel tag', 'consume tag.002'])
})

it('ended before the broker has cancelled consumes after that', async () => {
  const { consumer, asked } = await consumerOf()
  await consumer.start()
  const paused = consumer.pause()
  consumer.resume()
  await paused
  await eventually('it consumes again', () => asked.length >= 3)
  expect(asked).toEqual(['consume tag', 'cancel tag', 'consume tag.002'])
})

it('while the broker is away opens a session that consumes when it is over', async () => {
  const { consumer, broker, asked, told } = await consumerOf()
  await consumer.start()
  await consumer.pause()
  for (const socket of broker.sockets) socket.resetAndDestroy()
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect([broker.sockets.size, asked.length]).toEqual([1, 2])
  expect(told.of('consuming')).toHaveLength(1)
  consumer.resume()
  await eventually('it consumes again', () => asked.length >= 3)
  expect(asked).toEqual(['consume tag', 'cancel tag', 'consume tag'])
  expect(told.of('consuming')).toHaveLength(2)
})

it('is over when cancelled', async () => {
  const { consumer, asked } = await consumerOf()
  await consumer.start()
  await consumer.pause()
  await consumer.cancel()
  consumer.resume()
  expect(asked).toEqual(['consume tag', 'cancel tag'])
})
