import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { answer } from '../../support/answers.ts'
import { dispatcherOf } from './waiting-pool.ts'

/*
 * The broker's clock: what waits too long is handed back.
 */

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Lets everything happen that waits for no timer. */
const settle = () => vi.advanceTimersByTimeAsync(0)

const MINUTE = 60_000
/** A delivery may wait for a minute. */
const ONE_MINUTE = { ack: 'completed', timeout: 3 * MINUTE, consumerTimeout: 5 * MINUTE } as const

/** The pool is away, and two messages wait. */
async function holding() {
  const held = dispatcherOf(ONE_MINUTE)
  held.pool.away = true
  await held.domain.probe()
  return { ...held, deliveries: [held.deliver(), held.deliver()] }
}

describe('a delivery that is too old to be dispatched', () => {
  it('is handed back within a second, while others run and younger ones wait', async () => {
    const { pool, intake, deliver } = dispatcherOf({ ...ONE_MINUTE, concurrency: 1 })
    await vi.advanceTimersByTimeAsync(1_500)
    const [running, old] = [deliver(), deliver()]
    await vi.advanceTimersByTimeAsync(30_000)
    const young = deliver()
    await vi.advanceTimersByTimeAsync(29_999)
    expect(old.settled).toEqual([])
    await vi.advanceTimersByTimeAsync(1_001)
    expect(old.settled).toEqual(['requeue'])
    expect(running.settled).toEqual([])
    expect(young.settled).toEqual([])
    expect(intake.asked).toEqual([])
    pool.requests[0]?.complete(answer(200))
    await settle()
    expect(pool.requests).toHaveLength(2)
  })

  it('is not dispatched in the second before somebody looks', async () => {
    const { pool, deliver } = dispatcherOf({ ...ONE_MINUTE, concurrency: 1 })
    await vi.advanceTimersByTimeAsync(500)
    deliver()
    const old = deliver()
    await vi.advanceTimersByTimeAsync(MINUTE)
    pool.requests[0]?.complete(answer(200))
    await settle()
    expect(pool.requests).toHaveLength(1)
    expect(old.settled).toEqual(['requeue'])
  })

  it('is settled once', async () => {
    const { dispatcher, deliver } = dispatcherOf({ ...ONE_MINUTE, concurrency: 1 })
    const [, old] = [deliver(), deliver()]
    await vi.advanceTimersByTimeAsync(10 * MINUTE)
    void dispatcher.drain()
    expect(old.settled).toEqual(['requeue'])
  })
})

describe('during a hold', () => {
  it('everything that waits goes back, and nothing more comes until the hold is over', async () => {
    const { intake, deliver, deliveries, pool } = await holding()
    await vi.advanceTimersByTimeAsync(MINUTE - 2_000)
    const young = deliver()
    expect(intake.asked).toEqual([])
    await vi.advanceTimersByTimeAsync(3_000)
    expect([...deliveries, young].map(({ settled }) => settled)).toEqual([
      ['requeue'],
      ['requeue'],
      ['requeue'],
    ])
    expect(intake.asked).toEqual(['pause'])
    await vi.advanceTimersByTimeAsync(60 * MINUTE)
    expect(intake.asked).toEqual(['pause'])
    pool.away = false
    await vi.advanceTimersByTimeAsync(1_000)
    expect(intake.asked).toEqual(['pause', 'resume'])
  })

  it('so does what still arrives while the consumer is being cancelled', async () => {
    const { intake, deliver, deliveries } = await holding()
    let cancelled: () => void = () => {}
    vi.spyOn(intake, 'pause').mockReturnValue(
      new Promise((resolve) => {
        cancelled = resolve
      }),
    )
    await vi.advanceTimersByTimeAsync(MINUTE + 1_000)
    const late = deliver()
    expect(deliveries.map(({ settled }) => settled)).toEqual([[], []])
    cancelled()
    await settle()
    expect([...deliveries, late].map(({ settled }) => settled)).toEqual([
      ['requeue'],
      ['requeue'],
      ['requeue'],
    ])
  })

  it('nothing young goes back when the hold is over before the consumer is cancelled', async () => {
    const { intake, pool, deliver } = await holding()
    let cancelled: () => void = () => {}
    vi.spyOn(intake, 'pause').mockReturnValue(
      new Promise((resolve) => {
        cancelled = resolve
      }),
    )
    await vi.advanceTimersByTimeAsync(MINUTE)
    const young = [deliver(), deliver(), deliver()]
    pool.away = false
    await vi.advanceTimersByTimeAsync(1_000)
    cancelled()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(young.map(({ settled }) => settled)).toEqual([[], [], []])
    expect(pool.requests).toHaveLength(2)
  })

  it('what came with a lost session does not count', async () => {
    const { intake, deliveries } = await holding()
    for (const delivery of deliveries) delivery.live = false
    await vi.advanceTimersByTimeAsync(10 * MINUTE)
    expect(intake.asked).toEqual([])
    expect(deliveries.map(({ settled }) => settled)).toEqual([[], []])
  })
})

describe('draining', () => {
  it('ends the looking, with and without a hold', async () => {
    const [{ dispatcher: idle }, { dispatcher: held }] = [dispatcherOf(ONE_MINUTE), await holding()]
    expect(vi.getTimerCount()).toBeGreaterThan(0)
    await Promise.all([idle.drain(), held.drain()])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('while the consumer is being cancelled for the age of what waits settles each once', async () => {
    const { intake, dispatcher, deliveries } = await holding()
    let cancelled: () => void = () => {}
    vi.spyOn(intake, 'pause').mockReturnValue(
      new Promise((resolve) => {
        cancelled = resolve
      }),
    )
    await vi.advanceTimersByTimeAsync(MINUTE + 1_000)
    await dispatcher.drain()
    cancelled()
    await settle()
    expect(deliveries.map(({ settled }) => settled)).toEqual([['requeue'], ['requeue']])
    expect(vi.getTimerCount()).toBe(0)
  })
})
