import { expect, it } from 'vitest'
import { BrokerList } from '../../src/amqp/broker-list.ts'
import { Connections } from '../../src/amqp/connections.ts'
import { ConfirmPublisher } from '../../src/amqp/publisher.ts'
import { plainQueue } from '../../src/amqp/queue.ts'
import { long, method, short, shortString } from '../support/amqp-frames.ts'
import { eventually } from '../support/eventually.ts'
import { recordingEvents } from '../support/recording.ts'
import { confirm, connectionClose } from '../support/scripted-broker.ts'
import { brokerThat, closedAfterTest } from './after-test.ts'

/*
 * Publishers that share a connection: what happens to one of them, and what to all.
 */

const channelClose = (channel: number, code: number, text: string): Buffer =>
  method(channel, [20, 40], short(code), shortString(text), short(60), short(40))

/** The first short string after the two reserved bytes and the exchange's: the routing key. */
const queueOf = (args: Buffer): string => args.toString('latin1', 4, 4 + args.readUInt8(3))

/** Publishers to the queues `a` and `b`; what the broker has got stays unconfirmed until it is told to go on. */
async function start(tuned?: Buffer) {
  const got: { queue: string; channel: number; tag: number }[] = []
  const tags = new Map<number, number>()
  const broker = await brokerThat({
    ...(tuned === undefined ? {} : { 'connection.start-ok': () => tuned }),
    'channel.open': (channel) => {
      tags.delete(channel)
      return method(channel, [20, 11], long(0))
    },
    'basic.publish': (channel, _, args) => {
      const tag = (tags.get(channel) ?? 0) + 1
      tags.set(channel, tag)
      got.push({ queue: queueOf(args), channel, tag })
      return undefined
    },
  })
  const connections = new Connections('test')
  const publisherTo = async (queue: string) => {
    const told = recordingEvents()
    const topology = { queues: [plainQueue(queue, 'classic')], declare: true }
    const publisher = new ConfirmPublisher(
      { brokers: new BrokerList([broker.url], told.tell), connections, topology },
      told.tell,
    )
    closedAfterTest(publisher)
    await publisher.connect()
    const publish = (alone = false) =>
      publisher
        .publish({ queue, properties: {}, headers: [['of', queue]], body: Buffer.from('{}') }, alone)
        .then(() => 'published')
        .catch((error: { code: string }) => error.code)
    return { publisher, publish, told }
  }
  const [a, b] = [await publisherTo('a'), await publisherTo('b')]
  const say = (bytes: Buffer) => {
    for (const socket of broker.sockets) socket.write(bytes)
  }
  const confirmAll = () => {
    for (const { channel, tag } of got.splice(0)) say(confirm(channel, tag))
  }
  const hasGot = (...queues: string[]) =>
    eventually(`it has got ${queues}`, () => String(got.map(({ queue }) => queue)) === String(queues))
  return { broker, a, b, got, say, confirmAll, hasGot, publisherTo }
}

it.each([
  ['that its user may not send', 403, 'ACCESS_REFUSED', 'CUT_OFF'],
  ['that is too large', 406, 'message size 2 is larger than max size 1', 'BODY_TOO_LARGE'],
])(
  'a message %s closes the channel of its publisher, and fails nothing of another',
  async (_, code, text, failure) => {
    const { broker, a, b, got, say, confirmAll, hasGot } = await start()
    const [ofA, ofB] = [a.publish(), b.publish()]
    await hasGot('a', 'b')
    say(channelClose(got[0]?.channel as number, code, text))
    // That it was one of two on the connection leaves no doubt: the channel had one.
    expect(await ofA).toBe(failure)
    got.shift()
    confirmAll()
    expect(await ofB).toBe('published')
    // It is on the same connection that the one goes on.
    const again = a.publish()
    await hasGot('a')
    confirmAll()
    expect([await again, broker.sockets.size]).toEqual(['published', 1])
  },
)

it('over which message the connection was closed nobody knows: each of all publishers is suspected', async () => {
  const { broker, a, b, got, say, confirmAll, hasGot } = await start()
  const both = Promise.all([a.publish(), b.publish()])
  await hasGot('a', 'b')
  say(connectionClose(502, 'SYNTAX_ERROR'))
  expect(await both).toEqual(['SUSPECTED', 'SUSPECTED'])
  got.splice(0)
  // One alone: no doubt.
  const ofA = a.publish()
  await hasGot('a')
  say(connectionClose(502, 'SYNTAX_ERROR'))
  expect(await ofA).toBe('MESSAGE_REFUSED')
  got.splice(0)
  // And both come back, on one connection.
  const next = Promise.all([a.publish(), b.publish()])
  await eventually('it has got both', () => got.length === 2)
  confirmAll()
  expect([await next, broker.sockets.size]).toEqual([['published', 'published'], 1])
})

it('what is confirmed is suspected no more', async () => {
  const { a, b, say, confirmAll, hasGot } = await start()
  const ofB = b.publish()
  await hasGot('b')
  confirmAll()
  await ofB
  const ofA = a.publish()
  await hasGot('a')
  say(connectionClose(502, 'SYNTAX_ERROR'))
  expect(await ofA).toBe('MESSAGE_REFUSED')
})

it('one alone is on a connection that no other publisher is on', async () => {
  const { broker, a, b, got, hasGot } = await start()
  const ofB = b.publish()
  await hasGot('b')
  const alone = a.publish(true)
  await hasGot('b', 'a')
  expect(broker.sockets.size).toBe(2)
  const [shared, own] = broker.sockets
  shared?.write(confirm(got[0]?.channel as number, 1))
  own?.write(confirm(1, 1))
  expect([await ofB, await alone]).toEqual(['published', 'published'])
  await eventually('it has left', () => broker.sockets.size === 1)
})

it('closing one fails what it had on its way, and leaves the other its connection', async () => {
  const { broker, a, b, got, confirmAll, hasGot } = await start()
  const [ofA, ofB] = [a.publish(), b.publish()]
  await hasGot('a', 'b')
  await a.publisher.close()
  expect([await ofA, broker.sockets.size]).toEqual(['CUT_OFF', 1])
  got.shift()
  confirmAll()
  expect(await ofB).toBe('published')
  await b.publisher.close()
  await eventually('nobody is left', () => broker.sockets.size === 0)
})

it('each hears that the broker is in alarm; who comes then takes a connection that is not blocked', async () => {
  const { broker, a, b, say, publisherTo } = await start()
  say(method(0, [10, 60], shortString('low on memory')))
  const saidBy = ({ told }: typeof a) => told.all
  const blocked = [{ kind: 'broker-blocked', reason: 'low on memory' }]
  await eventually('both say so', () => saidBy(a).length + saidBy(b).length === 2)
  expect([saidBy(a), saidBy(b)]).toEqual([blocked, blocked])
  await publisherTo('c')
  expect(broker.sockets.size).toBe(2)
  say(method(0, [10, 61]))
  await eventually('both say so', () => saidBy(a).length + saidBy(b).length === 4)
  expect([saidBy(a)[1], saidBy(b)[1]]).toEqual([{ kind: 'broker-unblocked' }, { kind: 'broker-unblocked' }])
  await publisherTo('d')
  expect(broker.sockets.size).toBe(2)
})

it('each message arrives with its own header table, however the channels take turns', async () => {
  const tables: string[] = []
  const { broker, a, b, confirmAll, got } = await start()
  // A content header is followed by the table of its message, which says for which queue it is.
  const [socket] = broker.sockets
  let bytes = Buffer.alloc(0)
  socket?.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk])
  })
  const count = 50
  const all = Promise.all(Array.from({ length: count }, () => [a.publish(), b.publish()]).flat())
  await eventually('it has got all', () => got.length === 2 * count)
  const channels = new Map(got.map(({ channel, queue }) => [channel, queue]))
  for (let offset = 0; offset < bytes.length; offset += bytes.readUInt32BE(offset + 3) + 8) {
    if (bytes[offset] !== 2) continue
    const frame = bytes.subarray(offset, offset + bytes.readUInt32BE(offset + 3) + 8)
    const of = /ofS.{4}([ab])/s.exec(frame.toString('latin1'))?.[1]
    tables.push(`${channels.get(bytes.readUInt16BE(offset + 1))}${of}`)
  }
  expect(tables.toSorted()).toEqual([...Array(count).fill('aa'), ...Array(count).fill('bb')])
  confirmAll()
  expect(new Set(await all)).toEqual(new Set(['published']))
})
