import { afterEach, expect, it, vi } from 'vitest'
import { BrokerList } from '../../src/amqp/broker-list.ts'
import { Connections } from '../../src/amqp/connections.ts'
import { Consumer } from '../../src/amqp/consumer.ts'
import { method, shortString } from '../support/amqp-frames.ts'
import { eventually } from '../support/eventually.ts'
import { recordingEvents } from '../support/recording.ts'
import { connectionClose, delivery, type ScriptedBroker } from '../support/scripted-broker.ts'
import { sessionOptions } from '../support/sessions.ts'
import { brokerThat, leavesAfterTest } from './after-test.ts'

/*
 * A bridge over whose queue the broker closes the connection, again and again: RabbitMQ does so when a channel's process crashes (541),
 * and where a user has too many channels (530).
 */

afterEach(() => {
  vi.useRealTimers()
})

/** The queue of basic.consume. */
const queueOf = (args: Buffer): string => args.toString('latin1', 3, 3 + args.readUInt8(2))

/** Makes consumers that share connections. */
function bridgesAt(broker: ScriptedBroker) {
  const connections = new Connections('test')
  return (queue: string) => {
    const told = recordingEvents()
    const brokers = new BrokerList([broker.url], told.tell)
    const options = { ...sessionOptions(queue), brokers, connections, delay: () => 20 }
    const consumer = leavesAfterTest(new Consumer(options, () => {}, told.tell))
    return { consumer, told }
  }
}

it.each([
  ['as it begins to consume', () => connectionClose(541, 'INTERNAL_ERROR')],
  [
    'by what it consumes',
    (channel: number) =>
      Buffer.concat([method(channel, [60, 21], shortString('tag')), connectionClose(541, 'INTERNAL_ERROR')]),
  ],
])('soon cuts off nobody else: %s', async (_, answer) => {
  let asked = 0
  const broker = await brokerThat({
    'basic.consume': (channel, _broker, args) => {
      if (queueOf(args) === 'good')
        return Buffer.concat([method(channel, [60, 21], shortString('tag')), delivery(channel, 1)])
      asked += 1
      return answer(channel)
    },
  })
  const consumerOf = bridgesAt(broker)
  const good = consumerOf('good')
  await good.consumer.start()
  void consumerOf('poison').consumer.start()
  await eventually('it has been asked often', () => asked >= 10)
  expect(good.told.of('session-ended').length).toBeLessThanOrEqual(2)
  expect(good.told.of('consuming').length).toBe(good.told.of('session-ended').length + 1)
})

it('whose queue does not answer consumes on a connection of its own from then on', async () => {
  let asked = 0
  const broker = await brokerThat({
    'basic.consume': (channel, _, args) => {
      if (queueOf(args) === 'silent') asked += 1
      return asked === 1 ? undefined : method(channel, [60, 21], shortString('tag'))
    },
  })
  const consumerOf = bridgesAt(broker)
  const good = consumerOf('good')
  await good.consumer.start()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const silent = consumerOf('silent')
  const started = silent.consumer.start()
  await eventually('it is asked for', () => asked > 0)
  await vi.advanceTimersByTimeAsync(10_000)
  vi.useRealTimers()
  await started
  expect([asked, broker.sockets.size]).toEqual([2, 2])
  // Nobody joins it there, nor where the broker may yet close the connection over what it was asked.
  await consumerOf('third').consumer.start()
  await consumerOf('fourth').consumer.start()
  expect([good.told.of('session-ended').length, broker.sockets.size]).toEqual([0, 3])
})
