import { expect, it } from 'vitest'
import type { Delivery } from '../../src/bridge/ports.ts'
import {
  byte,
  contentHeader,
  FLAG,
  field,
  long,
  longString,
  method,
  nestedFields,
} from '../support/amqp-frames.ts'
import { eventually } from '../support/eventually.ts'
import { delivery } from '../support/scripted-broker.ts'
import { openSession } from '../support/sessions.ts'
import { brokerThat, closedAfterTest } from './after-test.ts'

/*
 * Messages whose header tables amqplib cannot decode: each would end the session, and the next one, and so on.
 */

/** A session that is handed these deliveries, then a good one; all that arrives until then. */
async function receive(...deliveries: ((channel: number) => Buffer)[]): Promise<Delivery[]> {
  const broker = await brokerThat({
    'basic.consume': (channel) =>
      Buffer.concat([
        method(channel, [60, 21], Buffer.from('\x03tag')),
        ...deliveries.map((each) => each(channel)),
        delivery(channel, deliveries.length + 1),
      ]),
  })
  const received: Delivery[] = []
  const session = await openSession(broker.url, (each) => received.push(each))
  closedAfterTest(session)
  await eventually('all have arrived', () => received.length === deliveries.length + 1)
  expect(received.map(({ live }) => live)).not.toContain(false)
  return received
}

it.each([
  ['12,000 tables', nestedFields(12_000, 'F')],
  ['12,000 arrays', nestedFields(12_000, 'A')],
  ['as many arrays as 16 MiB have room for', nestedFields(Math.floor(16_777_000 / 5), 'A')],
])('%s in each other arrive as a delivery with a defect', async (_, fields) => {
  const [poison, good] = await receive((channel) => delivery(channel, 1, fields))
  expect(poison).toMatchObject({ deliveryTag: 1, defect: 'its header table nests deeper than 511 levels' })
  expect(poison?.properties.headers).toBeUndefined()
  expect(good).toMatchObject({ deliveryTag: 2, defect: undefined })
})

it('511 levels arrive as they are', async () => {
  const [deep] = await receive((channel) => delivery(channel, 1, nestedFields(511, 'F')))
  expect(deep?.defect).toBeUndefined()
  expect(JSON.stringify(deep?.properties.headers)).toHaveLength(510 * '{"":}'.length + '{}'.length)
})

it('an unsigned 64-bit integer arrives as the number it is', async () => {
  const fields = Buffer.from(
    '\x01aL\0\0\0\x01\0\0\0\x02\x01bL\xff\xff\xff\xff\xff\xff\xff\xff\x01ct\x01',
    'latin1',
  )
  const [each] = await receive((channel) => delivery(channel, 1, fields))
  expect(each).toMatchObject({ defect: undefined })
  expect(each?.properties.headers).toEqual({ a: 2 ** 32 + 2, b: 2n ** 64n - 1n, c: true })
})

it('a value of a type that nobody knows arrives as a delivery with a defect', async () => {
  const [each] = await receive((channel) => delivery(channel, 1, Buffer.from('\x01aZ')))
  expect(each?.defect).toBe('its header table has a value of the unknown type "Z"')
})

it.each(['x-fpm-bridge-defect', 'x-fpm-bridge-table'])(
  'a publisher cannot pose as the filter: %s',
  async (name) => {
    const fields = field(name, 'S', longString('x'))
    const [each] = await receive((channel) => delivery(channel, 1, fields))
    expect(each?.defect).toBeUndefined()
    expect(each?.properties.headers).toEqual({ [name]: 'x' })
  },
)

it('the id that we publish with is not for the worker, nor for copies', async () => {
  const fields = Buffer.concat([
    field('x-fpm-bridge-publish-id', 'S', longString('7')),
    field('a', 't', byte(1)),
  ])
  const [each] = await receive((channel) => delivery(channel, 1, fields))
  expect(each?.properties.headers).toEqual({ a: true })
  expect(each?.headerFields()).toEqual([['a', Buffer.from('t\x01')]])
})

it('a content header that never ends ends the session, with the reason', async () => {
  const endless = contentHeader(1, 0, FLAG.headers, long(100))
  endless.writeUInt32BE(2 ** 31, 3)
  const broker = await brokerThat()
  const session = await openSession(broker.url, () => {})
  closedAfterTest(session)
  for (const socket of broker.sockets) socket.write(endless)
  expect(await session.ended).toContain('announces a frame of 2147483656 bytes')
})
