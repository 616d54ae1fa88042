import type { GetMessage } from 'amqplib'
import { expect } from 'vitest'
import { nestedFields } from '../support/amqp-frames.ts'
import type { BridgeProcess } from '../support/bridge-process.ts'
import type { Broker } from '../support/broker-api.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { numbers, publishAll, takeAll } from '../support/messages.ts'
import { publishRaw, withHeaders } from '../support/raw-publisher.ts'
import { readRecords, recordScript } from '../support/records.ts'

/*
 * Header tables that RabbitMQ takes and amqplib cannot decode: none may stop the queue, end a session, or have another
 * message delivered twice.
 */

/** As many arrays in each other as the content header of our message has room for, at the default frame_max. */
const DEEPEST = Math.floor((131_072 - 60) / 5)

test.for([
  { what: '5,000 tables', fields: nestedFields(5_000, 'F') },
  { what: `${DEEPEST} arrays`, fields: nestedFields(DEEPEST, 'A') },
  { what: '512 arrays', fields: nestedFields(512, 'A') },
])(
  '$what in each other: dead-lettered with the reason',
  async ({ fields }, { broker, queue, startDaemon }) => {
    await publishAll(broker, queue, [])
    await publishRaw(broker, queue, withHeaders(fields, 'M-1', Buffer.from('{"number":7}')))
    const daemon = await startDaemon()
    await daemon.waitForLine('Dead-lettered.')
    expectPoison(await takeAll(broker, `${queue}.dead`), queue, ['M-1'])
    await expectEmpty(broker, queue, 1)
    expect(sessions(daemon)).toBe(1)
  },
)

test.for([
  {
    what: '511 levels',
    fields: nestedFields(511, 'A'),
    json: '{"":'.concat('['.repeat(510), ']'.repeat(510), '}'),
  },
  // Some clients send it; RabbitMQ passes it on, and amqplib knows it not.
  { what: 'an unsigned 64-bit integer', fields: Buffer.from('\x01aL\0\0\0\0\0\0\0\x07'), json: '{"a":7}' },
])(
  '$what: executed, with AMQP_HEADERS',
  async ({ fields, json }, { broker, queue, sharedPool, startDaemon }) => {
    await publishAll(broker, queue, [])
    await publishRaw(broker, queue, withHeaders(fields, 'M-1'))
    const daemon = await startDaemon({ script: recordScript })
    await daemon.waitForLine(
      ({ message, message_id: messageId }) => message === 'Executed.' && messageId === 'M-1',
    )
    const [record] = readRecords(sharedPool.workerLog, queue)
    expect(record?.params['AMQP_HEADERS']).toBe(json)
  },
)

test.for([
  { type: 'classic', ack: 'dispatched' },
  { type: 'classic', ack: 'completed' },
  { type: 'quorum', ack: 'completed' },
])(
  'three among 20 good messages of a $type queue, $ack, two daemons, --no-declare: the good ones run once',
  async ({ type, ack }, { broker, queue, sharedPool, startDaemon }) => {
    for (const name of [queue, `${queue}.dead`]) {
      await broker.api('PUT', `/queues/%2F/${name}`, { durable: true, arguments: { 'x-queue-type': type } })
    }
    // Without retries there need be no queues for them.
    const once = ack === 'completed' ? ['--max-attempts', '1'] : []
    const settings = { script: recordScript, args: ['--no-declare', '--ack', ack, ...once] }
    const daemons = [await startDaemon(settings), await startDaemon(settings)]
    for (const daemon of daemons) await daemon.waitForLine('Consuming.')
    for (const [index, number] of numbers(20).entries()) {
      if (index % 7 === 3) await publishRaw(broker, queue, withHeaders(nestedFields(5_000), `M-${index}`))
      await publishRaw(broker, queue, withHeaders(Buffer.alloc(0), '', Buffer.from(JSON.stringify(number))))
    }
    await eventually(
      'all are settled',
      () => count(daemons, 'Executed.') === 20 && count(daemons, 'Dead-lettered.') === 3,
    )
    expectPoison(await takeAll(broker, `${queue}.dead`), queue, ['M-10', 'M-17', 'M-3'])
    await expectEmpty(broker, queue, 2)
    expect(daemons.map(sessions)).toEqual([1, 1])

    for (const daemon of daemons) daemon.signal('SIGTERM')
    for (const daemon of daemons) expect(await daemon.exited).toMatchObject({ code: 0 })
    const records = readRecords(sharedPool.workerLog, queue)
    expect(records.map(({ post }) => Number(post['number'])).sort((a, b) => a - b)).toEqual(
      numbers(20).map(({ number }) => number),
    )
    expect(records.map(({ params }) => params['AMQP_REDELIVERED'])).not.toContain('1')
  },
)

/** Dead letters with these message ids, and the diagnosis in place of the headers they came with. */
function expectPoison(dead: readonly GetMessage[], queue: string, messageIds: readonly string[]): void {
  expect(dead.map(({ properties }) => properties.messageId).sort()).toEqual(messageIds)
  for (const { properties } of dead) {
    expect(properties.deliveryMode).toBe(2)
    expect(properties.headers).toMatchObject({
      'x-fpm-bridge-reason': 'its header table nests deeper than 511 levels',
      'x-fpm-bridge-headers-dropped': true,
      'x-fpm-bridge-queue': queue,
      'x-fpm-bridge-routing-key': queue,
    })
    expect(Object.keys(properties.headers ?? {}).join()).not.toContain('defect')
  }
}

async function expectEmpty(broker: Broker, queue: string, consumers: number): Promise<void> {
  await eventually(`${queue} is empty`, async () => {
    const counts = (await broker.queues()).find(({ name }) => name === queue)
    expect(counts).toEqual({ name: queue, ready: 0, unacked: 0, consumers })
    return true
  })
}

/** How many sessions a daemon has opened so far. */
const sessions = (daemon: BridgeProcess): number => count([daemon], 'Consuming.')

function count(daemons: readonly BridgeProcess[], message: string): number {
  return daemons.flatMap(({ log }) => log).filter((line) => line.message === message).length
}
