import { expect, it } from 'vitest'
import { BrokerList } from '../../src/amqp/broker-list.ts'
import { Connections } from '../../src/amqp/connections.ts'
import { ConfirmPublisher } from '../../src/amqp/publisher.ts'
import { plainQueue } from '../../src/amqp/queue.ts'
import { Settlement } from '../../src/bridge/settlement.ts'
import {
  config,
  RecordingDelivery,
  RecordingIntake,
  recordingEvents,
  tellNobody,
} from '../support/recording.ts'
import { confirm } from '../support/scripted-broker.ts'
import { finished } from '../support/settling.ts'
import { brokerThat, closedAfterTest } from './after-test.ts'

it('a copy whose confirm is lost with the connection is published again before the original is acked', async () => {
  const delivery = new RecordingDelivery({ properties: { messageId: 'm-1' } })
  const settledAtPublish: string[][] = []
  const broker = await brokerThat({
    'basic.publish': (channel, { sockets }) => {
      settledAtPublish.push([...delivery.settled])
      // It has the message, and nobody will learn of it.
      if (settledAtPublish.length === 1) for (const socket of sockets) socket.resetAndDestroy()
      else return confirm(channel, 1)
      return undefined
    },
  })
  const events = recordingEvents()
  const topology = { queues: [plainQueue('commands.dead', 'classic')], declare: true }
  const brokers = new BrokerList([broker.url], tellNobody)
  const publisher = closedAfterTest(
    new ConfirmPublisher({ brokers, connections: new Connections('test'), topology }, tellNobody),
  )
  const settlement = new Settlement(
    config,
    publisher,
    new RecordingIntake(),
    AbortSignal.timeout(8_000),
    events.tell,
  )
  await settlement.settle(finished(delivery), {
    kind: 'dead-letter',
    cause: 'rejected',
    reason: 'a reason',
  })
  // A duplicate, and no loss.
  expect(settledAtPublish).toEqual([[], []])
  expect(delivery.settled).toEqual(['ack'])
  expect(events.kinds).toEqual(['copy-failed', 'settled'])
})

it('a confirm of tag 0 with multiple is that of all that are on their way, and later ones are understood', async () => {
  let published = 0
  const broker = await brokerThat({
    'basic.publish': (channel) => {
      published += 1
      if (published < 3) return undefined
      return published === 3 ? confirm(channel, 0, true) : confirm(channel, published)
    },
  })
  const topology = { queues: [plainQueue('commands', 'classic')], declare: true }
  const publisher = closedAfterTest(
    new ConfirmPublisher(
      { brokers: new BrokerList([broker.url], tellNobody), connections: new Connections('test'), topology },
      tellNobody,
    ),
  )
  const message = { queue: 'commands', properties: {}, headers: [], body: Buffer.from('{}') }
  await Promise.all([1, 2, 3].map(() => publisher.publish(message)))
  await publisher.publish(message)
  expect(published).toBe(4)
})
