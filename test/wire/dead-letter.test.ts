import { expect, it } from 'vitest'
import { BrokerList } from '../../src/amqp/broker-list.ts'
import { ConfirmPublisher } from '../../src/amqp/publisher.ts'
import { plainQueue } from '../../src/amqp/topology.ts'
import type { MessageProperties } from '../../src/bridge/ports.ts'
import { Settlement } from '../../src/bridge/settle.ts'
import { config, RecordingDelivery, recordingLog } from '../unit/bridge/recording.ts'
import { ENDED } from '../unit/bridge/settling.ts'
import { confirm, listenAmqp } from './scripted-broker.ts'

/*
 * Whatever a publisher sends, its dead letter can be written again: what arrived within AMQP's limits may be beyond
 * them, or beyond amqplib's, once decoded. A copy that can never be published would keep its slot for ever.
 */

/** A short string of 255 bytes that are no UTF-8: each becomes U+FFFD, three bytes. */
const DECODED = '\ufffd'.repeat(255)

const HOSTILE: readonly [string, MessageProperties][] = [
  ['nothing special', { messageId: 'm', headers: { a: 1 } }],
  ['properties that are no UTF-8', { correlationId: DECODED, type: DECODED }],
  ['a header name that is no UTF-8', { headers: { [DECODED]: 'x' } }],
  ['a table that poses as a typed value', { headers: { a: { '!': 'bogus', value: 1 } } }],
  ['a typed value out of its range', { headers: { a: { '!': 'int8', value: 1_000 } } }],
  ['empty arrays that take more room as AMQP', { headers: { a: Array.from({ length: 14_000 }, () => []) } }],
  ['doubles that take more room as AMQP', { headers: { a: Array.from({ length: 7_500 }, () => 0.5) } }],
  ['a timestamp beyond a double', { headers: { a: { '!': 'timestamp', value: 2 ** 64 } } }],
  ['the largest timestamp', { messageId: 'm', timestamp: Number(2n ** 64n - 1n) }],
  ['headers called like methods', { headers: { hasOwnProperty: 'x', toString: 'y', constructor: 'z' } }],
  ['a table nested 3,000 deep', { headers: nested(3_000) }],
]

function nested(levels: number): Record<string, unknown> {
  let headers: Record<string, unknown> = {}
  for (let level = 0; level < levels; level += 1) headers = { a: headers }
  return headers
}

it.each(HOSTILE)('with %s', async (_, properties) => {
  const broker = await listenAmqp()
  const topology = { queues: [plainQueue('commands.dead', 'classic')], declare: true }
  const log = recordingLog()
  const publisher = new ConfirmPublisher(
    { brokers: new BrokerList([broker.url], log), name: 'test', topology },
    log,
  )
  try {
    const delivery = new RecordingDelivery({ properties })
    const settlement = new Settlement(config, publisher, AbortSignal.timeout(1_000), log)
    await settlement.settle(delivery, { kind: 'dead-letter', reason: 'a reason' }, ENDED, false)
    expect([delivery.settled, broker.published]).toEqual([['ack'], 1])
  } finally {
    await publisher.close()
    await broker.close()
  }
})

it('of a message that cannot be written leaves the confirms of others in step', async () => {
  const answered: (() => void)[] = []
  const broker = await listenAmqp({
    // Confirms each message only when the test says so.
    'basic.publish': (channel, { sockets }) => {
      const [socket] = sockets
      const deliveryTag = answered.length + 1
      answered.push(() => socket?.write(confirm(channel, deliveryTag)))
      return undefined
    },
  })
  const topology = { queues: [plainQueue('q', 'classic')], declare: true }
  const publisher = new ConfirmPublisher(
    { brokers: new BrokerList([broker.url], recordingLog()), name: 'test', topology },
    recordingLog(),
  )
  const body = Buffer.from('{}')
  const publish = (properties: MessageProperties) => publisher.publish({ queue: 'q', properties, body })
  try {
    await expect(publish({ messageId: DECODED })).rejects.toThrow()
    const settled: string[] = []
    const first = publish({}).then(() => settled.push('first'))
    const second = publish({}).then(() => settled.push('second'))
    while (answered.length < 2) await new Promise((resolve) => setImmediate(resolve))
    answered[0]?.()
    await first
    expect(settled).toEqual(['first'])
    answered[1]?.()
    await second
    expect(settled).toEqual(['first', 'second'])
  } finally {
    await publisher.close()
    await broker.close()
  }
})
