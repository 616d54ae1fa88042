import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { BridgePolicy } from '../../../src/bridge/ports.ts'
import { answer } from '../../support/answers.ts'
import { dispatcherOf, type WaitingRequest } from './waiting-pool.ts'

/* Messages that say, or look as if, nothing could be executed, while others are. */

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const COMPLETED: Partial<BridgePolicy> = {
  ack: 'completed',
  requireMarker: true,
  maxAttempts: 3,
  concurrency: 4,
  prefetch: 8,
}
const settle = () => vi.advanceTimersByTimeAsync(0)
const alarms = (request?: WaitingRequest) =>
  request?.complete(answer(503, { headers: { 'x-bridge-outcome': 'hold' } }))
const breaks = (request?: WaitingRequest) => request?.complete(answer(500))
const succeeds = (request?: WaitingRequest) =>
  request?.complete(answer(200, { headers: { 'x-bridge-outcome': 'ack' } }))
const isFor = (request: WaitingRequest | undefined, name: string) =>
  request?.body.toString().startsWith(name) ?? false

describe('a worker that says that nothing can be executed', () => {
  it('is believed although messages succeed that were begun before', async () => {
    const { pool, published, deliver } = dispatcherOf(COMPLETED)
    for (let n = 0; n < 3; n += 1) deliver(`{"long":${n}}`)
    await vi.advanceTimersByTimeAsync(10)
    deliver('{"right":1}')
    await settle()
    for (const long of pool.requests.slice(0, 3)) {
      alarms(pool.requests.at(-1))
      await vi.advanceTimersByTimeAsync(10)
      succeeds(long)
      await vi.advanceTimersByTimeAsync(1_000)
    }
    alarms(pool.requests.at(-1))
    await vi.advanceTimersByTimeAsync(1_000)
    expect(published).toEqual([])
  })

  it('is not believed for ever with dispatched either: what was acked comes back as another delivery', async () => {
    const { pool, published, counters, deliver } = dispatcherOf({ concurrency: 1 })
    deliver('{"wolf":1}')
    let back = 0
    for (let turn = 0; turn < 10; turn += 1) {
      await settle()
      if (isFor(pool.requests.at(-1), 'wolf')) alarms(pool.requests.at(-1))
      deliver(`{"n":${turn}}`)
      await vi.advanceTimersByTimeAsync(1_000)
      succeeds(pool.requests.at(-1))
      await settle()
      for (; back < published.length; back += 1) deliver('{"wolf":1}')
    }
    expect(published).toHaveLength(3)
    expect(counters.counts).toMatchObject({ refused: 1, hold: 3 })
  })
})

describe('three messages that break the application each time', () => {
  it('are at fault when others succeed each time in between', async () => {
    const { pool, published, deliver } = dispatcherOf(COMPLETED)
    for (let n = 0; n < 3; n += 1) deliver(`{"bad":${n}}`)
    for (let turn = 0; turn < 100; turn += 1) {
      if (turn % 5 === 0) deliver(`{"good":${turn}}`)
      for (const request of pool.requests.splice(0)) {
        if (isFor(request, 'good')) succeeds(request)
        else breaks(request)
      }
      await vi.advanceTimersByTimeAsync(500)
    }
    expect(published.map(({ body }) => body.toString()).toSorted()).toEqual([
      '{"bad":0}',
      '{"bad":1}',
      '{"bad":2}',
    ])
  })
})

describe('a hold', () => {
  it('is not over because a message is put away that cannot become a request', async () => {
    const { pool, published, events, deliver } = dispatcherOf({ ...COMPLETED, concurrency: 1 })
    deliver('{"n":1}')
    deliver('no JSON')
    deliver('{"n":2}')
    await settle()
    alarms(pool.requests[0])
    await vi.advanceTimersByTimeAsync(600)
    expect(published.map(({ queue }) => queue)).toEqual(['commands.dead'])
    expect(events.of('hold-over')).toEqual([])
    succeeds(pool.requests.at(-1))
    await settle()
    expect(events.of('hold-over')).toHaveLength(1)
  })
})
