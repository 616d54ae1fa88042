import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Answer, Gate } from '../../../src/bridge/gates/gate.ts'
import { UNTIL_TOLD } from '../../../src/bridge/gates/gate.ts'
import { answer, connectionLost } from '../../support/answers.ts'
import { dispatcherOf } from './waiting-pool.ts'

/*
 * What may start now is asked of gates; anybody may bring one more.
 */

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Lets everything happen that waits for no timer. */
const settle = () => vi.advanceTimersByTimeAsync(0)

/** One start in so many milliseconds. */
class RateLimit implements Gate {
  readonly #pause: number
  #next = 0
  constructor(pause: number) {
    this.#pause = pause
  }
  admits(): Answer {
    const askAgainIn = this.#next - performance.now()
    return askAgainIn <= 0 ? 'yes' : { askAgainIn }
  }
  onStart(): void {
    this.#next = performance.now() + this.#pause
  }
}

/** Closed until it is opened. */
class Latch implements Gate {
  #answer: Answer = UNTIL_TOLD
  #wake: () => void = () => {}
  admits(): Answer {
    return this.#answer
  }
  open(wake: () => void): void {
    this.#wake = wake
  }
  lift(): void {
    this.#answer = 'yes'
    this.#wake()
  }
}

const WIDE = { concurrency: 10, prefetch: 20 } as const

describe('a gate of one’s own', () => {
  it('is asked again when it says so, by one timer', async () => {
    const { pool, deliver } = dispatcherOf(WIDE, undefined, [new RateLimit(1_000)])
    await vi.advanceTimersByTimeAsync(10_000)
    const timers = vi.getTimerCount()
    for (let n = 0; n < 3; n += 1) deliver()
    expect(vi.getTimerCount() - timers).toBe(1)
    for (const started of [1, 2, 3, 3]) {
      await settle()
      expect(pool.requests).toHaveLength(started)
      await vi.advanceTimersByTimeAsync(999)
      expect(pool.requests).toHaveLength(started)
      await vi.advanceTimersByTimeAsync(1)
    }
  })

  it('is asked beside all others: the last one to say yes decides', async () => {
    const { pool, deliver } = dispatcherOf(WIDE, undefined, [new RateLimit(1_000), new RateLimit(300)])
    for (let n = 0; n < 2; n += 1) deliver()
    await vi.advanceTimersByTimeAsync(999)
    expect(pool.requests).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(pool.requests).toHaveLength(2)
  })

  it('wakes the dispatcher by itself where it cannot say when', async () => {
    const latch = new Latch()
    const { pool, deliver } = dispatcherOf(WIDE, undefined, [latch])
    deliver()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(pool.requests).toHaveLength(0)
    latch.lift()
    expect(pool.requests).toHaveLength(1)
  })

  it('leaves no timer behind when the bridge drains', async () => {
    const { pool, dispatcher, deliver } = dispatcherOf(WIDE, undefined, [new RateLimit(60_000)])
    const [first, second] = [deliver(), deliver()]
    await settle()
    const drained = dispatcher.drain()
    pool.requests[0]?.complete(answer(200))
    await drained
    expect([first.settled, second.settled]).toEqual([['ack'], ['requeue']])
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('concurrency', () => {
  it('may rise while requests run: what waits is started at once', async () => {
    const { pool, domain, deliver } = dispatcherOf({ concurrency: 1, prefetch: 9 })
    for (let n = 0; n < 5; n += 1) deliver()
    await settle()
    expect(pool.requests).toHaveLength(1)
    domain.slots.concurrency = 3
    await settle()
    expect(pool.requests).toHaveLength(3)
  })

  it('may fall while requests run: none is started until fewer run than it says', async () => {
    const { pool, domain, dispatcher, deliver } = dispatcherOf({ concurrency: 3, prefetch: 9 })
    for (let n = 0; n < 9; n += 1) deliver()
    await settle()
    domain.slots.concurrency = 1
    for (const [done, started, inFlight] of [
      [0, 3, 2],
      [1, 3, 1],
      [2, 4, 1],
      [3, 5, 1],
    ] as const) {
      pool.requests[done]?.complete(answer(200))
      await settle()
      expect([pool.requests.length, dispatcher.inFlight]).toEqual([started, inFlight])
    }
  })

  it('counts a slot that rests after a request was cut off, whatever it is by then', async () => {
    const { pool, domain, deliver } = dispatcherOf({ concurrency: 2, prefetch: 9 })
    for (let n = 0; n < 4; n += 1) deliver()
    await settle()
    pool.requests[0]?.fail(connectionLost())
    domain.slots.concurrency = 3
    await settle()
    expect(pool.requests).toHaveLength(3)
    await vi.advanceTimersByTimeAsync(100)
    expect(pool.requests).toHaveLength(4)
  })
})
