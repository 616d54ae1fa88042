import { getEventListeners } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { PoolAddress } from '../../src/fastcgi/address.ts'
import { ConnectQueue, type ConnectQueueOptions } from '../../src/fastcgi/connect-queue.ts'
import { connectPool } from '../../src/fastcgi/socket.ts'
import { type DeafListener, deafListener } from '../support/deaf-listener.ts'
import { liveBytes } from '../support/heap.ts'
import { failureOf } from './native-exchange.ts'
import { listen, type ScriptedPool } from './scripted-pool.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  vi.useRealTimers()
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function deaf(kind: PoolAddress['kind']): Promise<DeafListener> {
  const listener = await deafListener(kind)
  cleanups.push(() => listener.close())
  return listener
}

async function pool(): Promise<ScriptedPool> {
  const scripted = await listen(() => {})
  cleanups.push(() => scripted.close())
  return scripted
}

function connectorOf(address: PoolAddress, options: Partial<ConnectQueueOptions> = {}): ConnectQueue {
  return new ConnectQueue({
    connect: connectPool,
    address,
    connectTimeout: 300,
    backlogTimeout: 300,
    paced: () => false,
    ...options,
  })
}

const never = () => new AbortController().signal

/** How many milliseconds something takes. */
async function duration(pending: Promise<unknown>): Promise<number> {
  const started = performance.now()
  await pending
  return performance.now() - started
}

describe('a backlog that stays full', () => {
  it('fails a connect over a Unix socket after the time for it, with EAGAIN', async () => {
    const { address } = await deaf('unix')
    const failure = failureOf(connectorOf(address).open(never()))
    expect(await duration(failure)).toBeGreaterThanOrEqual(295)
    expect(await failure).toMatchObject({ code: 'CONNECT_FAILED', phase: 'connect', systemCode: 'EAGAIN' })
    expect((await failure).message).toContain('the backlog of the pool is full')
  })

  it('fails a connect over TCP after the time for a connect, with ETIMEDOUT', async () => {
    const { address } = await deaf('tcp')
    const failure = failureOf(connectorOf(address).open(never()))
    expect(await duration(failure)).toBeGreaterThanOrEqual(295)
    expect(await failure).toMatchObject({ code: 'CONNECT_FAILED', phase: 'connect', systemCode: 'ETIMEDOUT' })
  })

  it('is waited for as long as the pool answers anybody: it is slow, and has not hung', async () => {
    const { address } = await deaf('unix')
    // Long enough for a busy machine to tell of an answer in between.
    const connector = connectorOf(address, { backlogTimeout: 2_000 })
    const answers = setInterval(() => connector.vacate(), 50)
    cleanups.push(() => clearInterval(answers))
    const waiting = failureOf(connector.open(never()))
    const first = await Promise.race([
      waiting,
      new Promise((resolve) => setTimeout(resolve, 3_000, 'still waiting')),
    ])
    expect(first).toBe('still waiting')
    clearInterval(answers)
    expect(await waiting).toMatchObject({ systemCode: 'EAGAIN' })
  })

  it.each(['unix', 'tcp'] as const)('over %s is waited for no longer than the caller does', async (kind) => {
    const { address } = await deaf(kind)
    const connector = connectorOf(address, { connectTimeout: 50_000, backlogTimeout: 50_000 })
    const [first, second] = [new AbortController(), new AbortController()]
    const failures = [first, second].map(({ signal }) => failureOf(connector.open(signal)))
    setTimeout(() => second.abort(), 50)
    setTimeout(() => first.abort(), 100)
    expect(await duration(Promise.all(failures))).toBeLessThan(40_000)
    for (const failure of failures) expect((await failure).phase).toBe('connect')
  })
})

describe('pacing', () => {
  /** The moments at which so many connects, asked for at once, were connected; in the order they were asked for. */
  async function moments(connector: ConnectQueue, count: number): Promise<number[]> {
    const started = performance.now()
    const open = async (): Promise<number> => {
      const socket: Socket = await connector.open(never())
      cleanups.push(() => socket.destroy())
      return performance.now() - started
    }
    return await Promise.all(Array.from({ length: count }, open))
  }

  it('keeps connects that make the pool grow 2 ms apart, first come first served', async () => {
    const connected = await moments(connectorOf((await pool()).address, { paced: () => true }), 20)
    expect(connected).toEqual(connected.toSorted((a, b) => a - b))
    expect(connected.at(-1)).toBeGreaterThanOrEqual(19 * 2 - 1)
  })

  it('does not keep those that take a place that has become free', async () => {
    const connector = connectorOf((await pool()).address, { paced: () => true })
    // No time passes: what is kept for 2 ms is kept for ever.
    vi.useFakeTimers({ toFake: ['performance'] })
    for (let child = 0; child < 200; child += 1) connector.vacate()
    expect(await moments(connector, 200)).toHaveLength(200)
  })

  it('counts on a free place for a second', async () => {
    const connector = connectorOf((await pool()).address, { paced: () => true })
    for (let child = 0; child < 20; child += 1) connector.vacate()
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    expect((await moments(connector, 20)).at(-1)).toBeGreaterThanOrEqual(19 * 2 - 1)
  })

  it('is for pools that grow: for others nothing is remembered', async () => {
    const connector = connectorOf((await pool()).address)
    const before = liveBytes()
    for (let child = 0; child < 1_000_000; child += 1) connector.vacate()
    // One number for each request, for ever, were 8 MiB.
    expect(liveBytes() - before).toBeLessThan(1024 * 1024)
    connector.vacate()
  })
})

it('one connect that fails does not fail the others', async () => {
  const scripted = await pool()
  const connector = connectorOf(scripted.address, { paced: () => true })
  const controllers = Array.from({ length: 10 }, () => new AbortController())
  const opened = controllers.map(({ signal }) =>
    connector.open(signal).then(
      (socket) => socket.destroy(),
      () => 'failed',
    ),
  )
  controllers[3]?.abort()
  controllers[9]?.abort()
  expect((await Promise.all(opened)).flatMap((each, index) => (each === 'failed' ? [index] : []))).toEqual([
    3, 9,
  ])
})

it('leaves nothing behind at a signal that outlives many connects', async () => {
  const { address } = await pool()
  const connector = connectorOf(address, { paced: () => true })
  const { signal } = new AbortController()
  const sockets = await Promise.all(Array.from({ length: 5 }, () => connector.open(signal)))
  expect(getEventListeners(signal, 'abort')).toEqual([])
  for (const socket of sockets) socket.destroy()
})
