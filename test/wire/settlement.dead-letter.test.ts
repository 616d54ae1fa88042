import { expect, it } from 'vitest'
import { BrokerList } from '../../src/amqp/broker-list.ts'
import { Connections } from '../../src/amqp/connections.ts'
import { splitFields } from '../../src/amqp/header-fields.ts'
import { ConfirmPublisher } from '../../src/amqp/publisher.ts'
import { plainQueue } from '../../src/amqp/queue.ts'
import type { MessageProperties } from '../../src/bridge/ports.ts'
import { Settlement } from '../../src/bridge/settlement.ts'
import { byte, field, longString } from '../support/amqp-frames.ts'
import { eventually } from '../support/eventually.ts'
import { config, RecordingDelivery, RecordingIntake, tellNobody } from '../support/recording.ts'
import { confirm } from '../support/scripted-broker.ts'
import { finished } from '../support/settling.ts'
import { brokerThat, closedAfterTest } from './after-test.ts'

/*
 * Whatever a publisher sends, its dead letter can be written again: what arrived within AMQP's limits may be beyond
 * them, or beyond amqplib's, once decoded. A copy that can never be published would keep its slot for ever.
 */

/** A short string of 255 bytes that are no UTF-8: each becomes U+FFFD, three bytes. */
const DECODED = '\ufffd'.repeat(255)

const HOSTILE: readonly [string, MessageProperties, fields?: Buffer][] = [
  ['nothing special', { messageId: 'm' }, field('a', 't', byte(1))],
  ['properties that are no UTF-8', { correlationId: DECODED, type: DECODED }],
  ['the largest timestamp', { messageId: 'm', timestamp: Number(2n ** 64n - 1n) }],
  ['a table that amqplib takes for a typed value', {}, field('a', 'F', longString('\x01!S\0\0\0\x06double'))],
  ['a table that is too large for a frame', {}, field('a', 'S', longString('x'.repeat(200_000)))],
  ['many fields that are too much for a frame', {}, Buffer.concat(Array(20_000).fill(field('name', 'V')))],
]

it.each(HOSTILE)('with %s', async (_, properties, fields = Buffer.alloc(0)) => {
  const broker = await brokerThat()
  const topology = { queues: [plainQueue('commands.dead', 'classic')], declare: true }
  const publisher = closedAfterTest(
    new ConfirmPublisher(
      { brokers: new BrokerList([broker.url], tellNobody), connections: new Connections('test'), topology },
      tellNobody,
    ),
  )
  const delivery = new RecordingDelivery({ properties })
  delivery.headerFields = () => splitFields(fields)
  const settlement = new Settlement(
    config,
    publisher,
    new RecordingIntake(),
    AbortSignal.timeout(1_000),
    tellNobody,
  )
  await settlement.settle(finished(delivery), {
    kind: 'dead-letter',
    cause: 'rejected',
    reason: 'a reason',
  })
  expect([delivery.settled, broker.published]).toEqual([['ack'], 1])
})

it('of a message that cannot be written leaves the confirms of others in step', async () => {
  const answered: (() => void)[] = []
  const broker = await brokerThat({
    // Confirms each message only when the test says so.
    'basic.publish': (channel, { sockets }) => {
      const [socket] = sockets
      const deliveryTag = answered.length + 1
      answered.push(() => socket?.write(confirm(channel, deliveryTag)))
      return undefined
    },
  })
  const topology = { queues: [plainQueue('q', 'classic')], declare: true }
  const publisher = closedAfterTest(
    new ConfirmPublisher(
      { brokers: new BrokerList([broker.url], tellNobody), connections: new Connections('test'), topology },
      tellNobody,
    ),
  )
  const body = Buffer.from('{}')
  const publish = (properties: MessageProperties) =>
    publisher.publish({ queue: 'q', properties, headers: [], body })
  await expect(publish({ messageId: DECODED })).rejects.toThrow()
  const settled: string[] = []
  const first = publish({}).then(() => settled.push('first'))
  const second = publish({}).then(() => settled.push('second'))
  await eventually('both are on their way', () => answered.length === 2)
  answered[0]?.()
  await first
  expect(settled).toEqual(['first'])
  answered[1]?.()
  await second
  expect(settled).toEqual(['first', 'second'])
})
