import { afterEach, expect, it, vi } from 'vitest'
import { BrokerError } from '../../src/amqp/broker-error.ts'
import { Connections } from '../../src/amqp/connections.ts'
import type { Lease } from '../../src/amqp/lease.ts'
import { plainQueue } from '../../src/amqp/queue.ts'
import type { Session } from '../../src/amqp/session.ts'
import { ensureQueues } from '../../src/amqp/topology.ts'
import type { Delivery } from '../../src/bridge/ports.ts'
import { long, method, short, shortString } from '../support/amqp-frames.ts'
import { eventually } from '../support/eventually.ts'
import { type Answers, connectionClose, delivery, type ScriptedBroker } from '../support/scripted-broker.ts'
import { openSession, sessionOptions } from '../support/sessions.ts'
import { brokerThat, closedAfterTest } from './after-test.ts'

/*
 * Sessions that share a connection, of a broker that says what it likes to one of them.
 */

afterEach(() => {
  vi.useRealTimers()
})

const tune = (channelMax: number): Buffer => method(0, [10, 30], short(channelMax), long(131_072), short(0))

/** A broker and the connections to it; what it was asked, as `name channel`. */
async function start(answers: Answers = {}) {
  const asked: string[] = []
  const noted = Object.fromEntries(
    ['channel.open', 'channel.close', 'connection.close', 'basic.ack'].map((name) => [
      name,
      (channel: number) => {
        asked.push(`${name} ${channel}`)
        return NOTED_ANSWERS[name]?.(channel)
      },
    ]),
  )
  const channels: number[] = []
  const broker = await brokerThat({
    ...noted,
    'basic.consume': (channel) => {
      channels.push(channel)
      return Buffer.concat([method(channel, [60, 21], shortString('tag')), delivery(channel, 1)])
    },
    ...answers,
  })
  const connections = new Connections('test')
  const sessionOf = async (queue: string): Promise<[Session, Delivery]> => {
    let arrive: (delivery: Delivery) => void = () => {}
    const arrived = new Promise<Delivery>((resolve) => {
      arrive = resolve
    })
    const session = await openSession(broker.url, (each) => arrive(each), sessionOptions(queue), connections)
    closedAfterTest(session)
    return [session, await arrived]
  }
  const say = (bytes: Buffer) => {
    for (const socket of broker.sockets) socket.write(bytes)
  }
  return { broker, connections, asked, channels, sessionOf, say }
}

const NOTED_ANSWERS: Readonly<Record<string, (channel: number) => Buffer>> = {
  'channel.open': (channel) => method(channel, [20, 11], long(0)),
  'channel.close': (channel) => method(channel, [20, 41]),
  'connection.close': () => method(0, [10, 51]),
}

const channelClose = (channel: number, code: number, text: string): Buffer =>
  method(channel, [20, 40], short(code), shortString(text), short(60), short(40))

const hungUp = (broker: ScriptedBroker) => eventually('it has hung up', () => broker.sockets.size === 0)

it.each<[string, (channel: number) => Buffer]>([
  ['its channel is closed', (channel) => channelClose(channel, 404, 'NOT_FOUND')],
  ['its consumer is cancelled', (channel) => method(channel, [60, 30], shortString('tag'), Buffer.from([1]))],
  ['its deliveries are numbered wrongly', (channel) => delivery(channel, 1)],
])('a session ends when %s, and no other one', async (_, bytes) => {
  const { broker, asked, channels, sessionOf, say } = await start()
  const [[first, ofFirst], [second, ofSecond]] = [await sessionOf('a'), await sessionOf('b')]
  expect(broker.sockets.size).toBe(1)
  say(bytes(channels[0] as number))
  await first.ended
  await first.close()
  expect([ofFirst.live, ofSecond.live, broker.sockets.size]).toEqual([false, true, 1])
  // Of the channel that the session leaves nothing stays behind: what is unacked on it goes back.
  if (!bytes(1).equals(channelClose(1, 404, 'NOT_FOUND')))
    expect(asked).toContain(`channel.close ${channels[0]}`)
  ofSecond.ack()
  await eventually('it is acked', () => asked.includes(`basic.ack ${channels[1]}`))
  // The next one of the first shares the connection again.
  await sessionOf('a')
  expect(broker.sockets.size).toBe(1)
  await second.close()
  expect(broker.sockets.size).toBe(1)
})

it('all sessions end with their connection, and come back on one', async () => {
  const { broker, sessionOf, say } = await start()
  const [[first], [second]] = [await sessionOf('a'), await sessionOf('b')]
  say(connectionClose(320, 'CONNECTION_FORCED'))
  expect(await Promise.all([first.ended, second.ended])).toEqual([
    expect.stringContaining('CONNECTION_FORCED'),
    expect.stringContaining('CONNECTION_FORCED'),
  ])
  expect([first.connectionLost, second.connectionLost]).toEqual([true, true])
  await Promise.all([first.close(), second.close()])
  await hungUp(broker)
  await Promise.all([sessionOf('a'), sessionOf('b')])
  expect(broker.sockets.size).toBe(1)
})

it('the last one out closes the connection; until then it stays', async () => {
  const { broker, asked, sessionOf } = await start()
  const [[first], [second]] = [await sessionOf('a'), await sessionOf('b')]
  await first.close()
  await first.close()
  expect([broker.sockets.size, asked.includes('connection.close 0')]).toEqual([1, false])
  await second.close()
  await hungUp(broker)
  expect(asked.at(-1)).toBe('connection.close 0')
})

it('who asks while it is opened shares it, and the reason where that fails', async () => {
  let refuse = true
  const opened: number[] = []
  const { broker, sessionOf } = await start({
    'connection.open': () => {
      opened.push(1)
      return refuse
        ? connectionClose(530, 'NOT_ALLOWED - vhost shop not found')
        : method(0, [10, 41], short(0))
    },
  })
  const failures = await Promise.allSettled([sessionOf('a'), sessionOf('b')])
  expect(failures.map((each) => each.status === 'rejected' && each.reason.code)).toEqual([
    'VHOST_REFUSED',
    'VHOST_REFUSED',
  ])
  expect(opened).toHaveLength(1)
  refuse = false
  await Promise.all([sessionOf('a'), sessionOf('b')])
  expect([opened.length, broker.sockets.size]).toEqual([2, 1])
})

it('a connection that is being closed is given to nobody', async () => {
  let closing = false
  const { broker, sessionOf } = await start({
    'connection.close': () => {
      closing = true
      return undefined
    },
  })
  const [first] = await sessionOf('a')
  const closed = first.close()
  await eventually('it says goodbye', () => closing)
  const [, each] = await sessionOf('b')
  expect([each.live, broker.sockets.size]).toEqual([true, 2])
  await closed
  expect(each.live).toBe(true)
})

it('who gets no answer leaves it to those who have it, and takes another', async () => {
  let silent = false
  let asks = 0
  const { broker, channels, sessionOf } = await start({
    'basic.consume': (channel) => {
      asks += 1
      channels.push(channel)
      if (silent) return undefined
      return Buffer.concat([method(channel, [60, 21], shortString('tag')), delivery(channel, 1)])
    },
  })
  const [, kept] = await sessionOf('a')
  silent = true
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const failed = sessionOf('b').catch((error: unknown) => error)
  await eventually('both are asked for', () => asks === 2)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(await failed).toMatchObject({
    code: 'UNREACHABLE',
    message: expect.stringContaining('basic.consume'),
  })
  vi.useRealTimers()
  expect([kept.live, broker.sockets.size]).toEqual([true, 1])
  silent = false
  await sessionOf('b')
  expect([kept.live, broker.sockets.size]).toEqual([true, 2])
})

it('a connection whose channels are all taken is not shared further', async () => {
  // The look for the queue and the one at what it is have a channel at a time, the session has another.
  const few = await start({ 'connection.start-ok': () => tune(3) })
  const deliveries = [await few.sessionOf('a'), await few.sessionOf('b'), await few.sessionOf('c')]
  expect(deliveries.map(([, { live }]) => live)).toEqual([true, true, true])
  expect(few.broker.sockets.size).toBe(1)
  const [, fourth] = await few.sessionOf('d')
  expect([fourth.live, few.broker.sockets.size]).toEqual([true, 2])
})

it('questions of many at the same time on a connection with few channels take turns', async () => {
  const { broker, connections } = await start({ 'connection.start-ok': () => tune(3) })
  const lease = await connections.open(broker.url, async (each) => each)
  closedAfterTest({ close: () => lease.release() })
  const queues = ['q', 'q.dead', 'q.retry.1', 'q.retry.2'].map((name) => plainQueue(name, 'classic'))
  const look = () => ensureQueues(lease.connection, { queues, declare: true })
  await expect(Promise.all([look(), look(), look()])).resolves.toBeDefined()
})

it('who finds all channels of shared connections taken, and leaves last, gets a connection of its own', async () => {
  const { broker, connections } = await start()
  const full = (): Promise<Lease> => Promise.reject(new BrokerError('CHANNEL_LIMIT', 'full'))
  let tries = 0
  const lease = await connections.open(broker.url, (each) => {
    tries += 1
    return tries < 3 ? full() : Promise.resolve(each)
  })
  closedAfterTest({ close: () => lease.release() })
  // One that is alone, and full all the same, will always be.
  await expect(connections.open(broker.url, full)).rejects.toMatchObject({ permanent: true })
})

it('a lease that is given back leaves no listener behind, however often', async () => {
  const { broker, connections } = await start()
  const lease = await connections.open(broker.url, async (each) => each)
  closedAfterTest({ close: () => lease.release() })
  const { connection } = lease
  const count = () => ['close', 'error', 'blocked'].map((event) => connection.listenerCount(event))
  const before = count()
  const warnings: unknown[] = []
  const note = (warning: unknown): unknown => warnings.push(warning)
  process.on('warning', note)
  const many: Lease[] = []
  for (let n = 0; n < 20; n += 1) {
    const each = await connections.open(broker.url, async (given) => given)
    for (const event of ['close', 'error', 'blocked'] as const) each.on(event, () => {})
    await each.openChannel()
    many.push(each)
  }
  for (const each of many) await each.release()
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', note)
  expect([count(), warnings]).toEqual([before, []])
})

it.each([
  ['a few', 400, 50_000],
  ['more than amqplib keeps for a channel', 3_000, 10_000],
])('the number of a closed channel goes to nobody before its frames, %s', async (_, messages, bytes) => {
  const frames: string[] = []
  const { broker, connections } = await start({
    'basic.publish': (channel) => void frames.push(`publish ${channel}`),
    'channel.open': (channel) => {
      frames.push(`open ${channel}`)
      return method(channel, [20, 11], long(0))
    },
  })
  const lease = await connections.open(broker.url, async (each) => each)
  closedAfterTest({ close: () => lease.release() })
  const channel = await lease.openChannel()
  const [socket] = broker.sockets
  socket?.pause()
  const closed = new Promise((resolve) => channel.once('close', resolve))
  // More than the sockets between us take: the last ones are still here when the broker closes the channel.
  for (let n = 0; n < messages; n += 1) channel.publish('', 'q', Buffer.alloc(bytes))
  await new Promise((resolve) => setTimeout(resolve, 50))
  socket?.write(channelClose(1, 406, 'x'))
  await closed
  const next = lease.openChannel()
  await new Promise((resolve) => setTimeout(resolve, 50))
  socket?.resume()
  await next
  await eventually('all have arrived', () => frames.length === messages + 2)
  const mixed = frames.slice(frames.findLastIndex((each) => each.startsWith('open')))
  if (mixed[0] === 'open 1') expect(mixed).toEqual(['open 1'])
  // In the end it is free again.
  await eventually('it is open', async () => {
    await lease.openChannel()
    return frames.at(-1) !== 'open 2'
  })
  expect(frames.filter((each) => each === 'open 1').length).toBeGreaterThanOrEqual(2)
})
