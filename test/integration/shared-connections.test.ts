import { PassThrough } from 'node:stream'
import { expect } from 'vitest'
import type { RunConfig } from '../../src/config/run-config.ts'
import { Daemon } from '../../src/daemon/daemon.ts'
import { Counters } from '../../src/observe/counters.ts'
import { createLogger } from '../../src/observe/logger.ts'
import { closeConnection } from '../support/broker-connections.ts'
import { eventually } from '../support/eventually.ts'
import { startFaultProxy } from '../support/fault-proxy.ts'
import { test as base, workerScript } from '../support/fixtures.ts'
import { wholeRun } from '../support/given.ts'
import { numbers, publishAll, takeAll } from '../support/messages.ts'
import { freePorts } from '../support/ports.ts'
import { countsOf, expectCounts } from '../support/queue-counts.ts'
import { connectionsOf, SharedBridges } from '../support/shared-bridges.ts'

/*
 * Bridges that share their connections, at a real broker. Each test's daemon id is the name of its queue.
 */

const test = base.extend<{ bridges: SharedBridges }>({
  bridges: async ({ broker, queue }, use) => {
    const bridges = new SharedBridges([broker.url], queue)
    await use(bridges)
    await bridges.close()
  },
})

const bodies = (deliveries: readonly { body: Buffer }[]) => deliveries.map(({ body }) => body.toString())
const EMPTY = { ready: 0, unacked: 0 }

test('a daemon of several bridges has two connections, and tags that tell the bridges', async ({
  broker,
  queue,
  sharedPool,
}) => {
  const queues = ['a', 'b', 'c'].map((each) => `${queue}.${each}`)
  const configs = queues.map((each) =>
    wholeRun({
      url: broker.url,
      queue: each,
      socket: sharedPool.socket,
      script: workerScript,
      'daemon-id': queue,
    }),
  )
  const config = {
    ...(configs[0] as RunConfig),
    bridges: configs.flatMap(({ bridges }) => bridges.map((each) => ({ ...each, listed: true }))),
  }
  const log = createLogger({ level: 'error', format: 'json', stream: new PassThrough(), fields: {} })
  const watch = {
    tell() {},
    counts: new Counters().counts,
    ended() {},
    printConfig: () => undefined,
    reload: async () => undefined,
    shutDown() {},
  }
  const daemon = new Daemon(config, log, '0', watch)
  await daemon.start()
  try {
    await eventually(
      'they are listed',
      async () => String(await connectionsOf(broker, queue)) === `${queue},${queue} publisher`,
    )
    // The management API is some seconds behind the broker.
    const expected = queues.map((each) => `${queue}.${each}`).join()
    await eventually('their consumers are listed', async () => {
      const consumers = await broker.api<{ consumer_tag: string }[]>('GET', '/consumers')
      const tags = consumers.map(({ consumer_tag }) => consumer_tag).filter((tag) => tag.startsWith(queue))
      return tags.toSorted().join() === expected
    })
  } finally {
    expect(await daemon.drain()).toBe('drained')
  }
  await eventually('nobody is left', async () => (await connectionsOf(broker, queue)).length === 0)
})

test('many bridges have two connections, and the last one out closes them', async ({
  broker,
  queue,
  bridges,
}) => {
  const all = await Promise.all(Array.from({ length: 20 }, (_, n) => bridges.start(`${queue}.${n}`)))
  const names = () => connectionsOf(broker, queue)
  await eventually('they are listed', async () => String(await names()) === `${queue},${queue} publisher`)
  const [first, ...others] = all
  await Promise.all(others.map((each) => each.close()))
  await publishAll(broker, `${queue}.0`, numbers(1))
  await eventually('it still consumes', () => first?.deliveries.length === 1)
  expect(await first?.publish()).toBe('published')
  expect(await names()).toEqual([queue, `${queue} publisher`])
  await first?.close()
  await eventually('nobody is left', async () => (await names()).length === 0)
})

test('what ends the session of one bridge leaves deliveries and acks of another alone', async ({
  broker,
  queue,
  bridges,
}) => {
  const [a, b] = [await bridges.start(`${queue}.a`), await bridges.start(`${queue}.b`)]
  await publishAll(broker, `${queue}.b`, numbers(25))
  await eventually('ten are here', () => b.deliveries.length === 10)
  // Its queue is deleted: the broker cancels its consumer.
  await broker.api('DELETE', `/queues/%2F/${queue}.a`)
  await eventually('it consumes again', () => a.told.of('consuming').length === 2)
  await publishAll(broker, `${queue}.a`, numbers(3))
  await eventually('it has what came', () => a.deliveries.length === 3)
  // Another channel error: it acks what is not there, as no code of ours does.
  const broken = a.deliveries[0] as unknown as { deliveryTag: number; ack(): void }
  broken.deliveryTag = 1_000
  broken.ack()
  await eventually('it consumes once more', () => a.told.of('consuming').length === 3)
  expect(a.told.of('session-ended').at(-1)?.reason).toContain('PRECONDITION_FAILED')
  await eventually('what it had comes back to it', () => a.deliveries.length === 6)

  let acked = 0
  await eventually('all have come', () => {
    for (const each of b.deliveries.slice(acked)) each.ack()
    acked = b.deliveries.length
    return acked === 25
  })
  expect(b.deliveries.filter(({ redelivered }) => redelivered)).toEqual([])
  expect(bodies(b.deliveries)).toEqual(numbers(25).map((body) => JSON.stringify(body)))
  expect(b.told.of('session-ended')).toEqual([])
  await eventually(
    'all are acked',
    async () => JSON.stringify(await countsOf(broker, `${queue}.b`)) === JSON.stringify(EMPTY),
  )
})

test('a bridge whose queue the broker refuses starts not, and the others go on', async ({
  broker,
  queue,
  bridges,
}) => {
  const b = await bridges.start(`${queue}.b`)
  await broker.api('PUT', `/queues/%2F/${queue}.a`, { durable: false, auto_delete: false })
  await expect(bridges.start(`${queue}.a`)).rejects.toMatchObject({ code: 'QUEUE_UNFIT' })
  await publishAll(broker, `${queue}.b`, numbers(1))
  await eventually('it consumes', () => b.deliveries.length === 1)
  expect(b.told.of('session-ended')).toEqual([])
})

test('a connection that is closed comes back as one, for consuming and for publishing', async ({
  broker,
  queue,
  bridges,
}) => {
  const both = [await bridges.start(`${queue}.a`), await bridges.start(`${queue}.b`)]
  for (const name of [queue, `${queue} publisher`]) await closeConnection(broker, name)
  await eventually('both consume again', () => both.every(({ told }) => told.of('consuming').length === 2))
  expect(await Promise.all(both.map((each) => each.publish()))).toEqual(['published', 'published'])
  await eventually(
    'they are two again',
    async () => String(await connectionsOf(broker, queue)) === `${queue},${queue} publisher`,
  )
  for (const each of ['a', 'b']) await publishAll(broker, `${queue}.${each}`, numbers(5))
  await eventually('both have all', () => both.every(({ deliveries }) => deliveries.length === 5))
})

test('a bridge that ends leaves nothing unacked, with acks just given, and the others where they are', async ({
  broker,
  queue,
  bridges,
}) => {
  const messages = 2_000
  const b = await bridges.start(`${queue}.b`)
  await publishAll(broker, `${queue}.a`, numbers(messages))
  const a = await bridges.start(`${queue}.a`, { prefetch: messages })
  await eventually('all are here', () => a.deliveries.length === messages)
  // Every other one first: each has a frame of its own.
  for (const parity of [1, 0])
    for (const [index, each] of a.deliveries.entries()) if (index % 2 === parity) each.ack()
  await a.close()
  await expectCounts(broker, `${queue}.a`, EMPTY)
  await publishAll(broker, `${queue}.b`, numbers(1))
  await eventually('the other still consumes', () => b.deliveries.length === 1)
  expect(b.told.of('session-ended')).toEqual([])
})

test('two of one queue take over from each other without a moment in which nobody consumes', async ({
  broker,
  queue,
  bridges,
}) => {
  const seen: string[] = []
  const onDelivery = (each: { body: Buffer; ack(): void }) => {
    seen.push(each.body.toString())
    each.ack()
  }
  const name = `${queue}.a`
  let current = await bridges.start(name, { onDelivery })
  const publishing = publishAll(broker, name, numbers(3_000))
  for (let n = 0; n < 10; n += 1) {
    const next = await bridges.start(name, { onDelivery })
    await current.close()
    current = next
  }
  await publishing
  await eventually('all have come', () => seen.length >= 3_000)
  expect(seen.length).toBe(3_000)
  expect(new Set(seen).size).toBe(3_000)
  await expectCounts(broker, name, EMPTY)
})

test('all go over to the next broker together, and share its connections', async ({ broker, queue }) => {
  // To them these are two.
  const ports = (await freePorts(2)) as [number, number]
  const [first, second] = await Promise.all([
    startFaultProxy(ports[0], broker.port),
    startFaultProxy(ports[1], broker.port),
  ])
  const queues = [`${queue}.a`, `${queue}.b`] as const
  const bridges = new SharedBridges(
    [first, second].map(({ port }) => `amqp://127.0.0.1:${port}`),
    queue,
  )
  try {
    const both = [await bridges.start(queues[0]), await bridges.start(queues[1])]
    expect(both.map(({ told }) => told.of('consuming').at(-1)?.broker.includes(`:${first.port}/`))).toEqual([
      true,
      true,
    ])
    await first.lose()
    await eventually('both consume from the second', () =>
      both.every(({ told }) => told.of('consuming').at(-1)?.broker.includes(`:${second.port}/`)),
    )
    expect(await Promise.all(both.map((each) => each.publish()))).toEqual(['published', 'published'])
    for (const each of queues) await publishAll(broker, each, numbers(5))
    await eventually('both have all', () => both.every(({ deliveries }) => deliveries.length === 5))
    await eventually(
      'they are two',
      async () => String(await connectionsOf(broker, queue)) === `${queue},${queue} publisher`,
    )
    for (const each of both) for (const delivery of each.deliveries) delivery.ack()
    await bridges.close()
    expect(await takeAll(broker, queues[0])).toEqual([])
  } finally {
    await bridges.close()
    await Promise.all([first.close(), second.close()])
  }
})
