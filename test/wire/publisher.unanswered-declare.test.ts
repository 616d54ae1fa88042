import { afterEach, expect, it, vi } from 'vitest'
import { BrokerList } from '../../src/amqp/broker-list.ts'
import { Connections } from '../../src/amqp/connections.ts'
import { ConfirmPublisher } from '../../src/amqp/publisher.ts'
import { plainQueue } from '../../src/amqp/queue.ts'
import { long, method, shortString } from '../support/amqp-frames.ts'
import { eventually } from '../support/eventually.ts'
import { tellNobody } from '../support/recording.ts'
import { brokerThat, closedAfterTest } from './after-test.ts'

/*
 * A broker in alarm answers nothing on a connection that has published, for hours perhaps. Each look for a queue has a
 * channel of its own meanwhile, and a connection has 2,047 of them.
 */

afterEach(() => {
  vi.useRealTimers()
})

const declareOk = (channel: number): Buffer => method(channel, [50, 11], shortString('q'), long(0), long(0))

it('closes the channel of a look for a queue that is answered too late', async () => {
  const asked: number[] = []
  const closed: number[] = []
  const broker = await brokerThat({
    'queue.declare': (channel) => {
      asked.push(channel)
      return undefined
    },
    'channel.close': (channel) => {
      closed.push(channel)
      return method(channel, [20, 41])
    },
  })
  const topology = { queues: [plainQueue('q', 'classic')], declare: true }
  const brokers = new BrokerList([broker.url], tellNobody)
  const publisher = closedAfterTest(
    new ConfirmPublisher({ brokers, connections: new Connections('test'), topology }, tellNobody),
  )
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const published = publisher.publish({ queue: 'q', properties: {}, headers: [], body: Buffer.from('{}') })
  const failed = expect(published).rejects.toThrow('has not answered queue.declare')
  await eventually('it is asked for', () => asked.length > 0)
  await vi.advanceTimersByTimeAsync(10_000)
  await failed
  vi.useRealTimers()
  for (const socket of broker.sockets) socket.write(declareOk(asked[0] as number))
  await eventually('its channel is closed', () => closed.length === 1)
  expect(closed).toEqual(asked)
})
