import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { answer, connectFailure, fileNotFound } from '../../support/answers.ts'
import { dispatcherOf } from './waiting-pool.ts'

/*
 * The pool is there and runs no script: only a delivery can find out that it does again.
 */

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Lets everything happen that waits for no timer. */
const settle = () => vi.advanceTimersByTimeAsync(0)
/** Longer than any pause between two probes, but for the patience with one. */
const aProbe = () => vi.advanceTimersByTimeAsync(1_000)

/** A dispatcher whose first deliveries found that nothing runs; four wait. */
async function heldWith(concurrency: number) {
  const held = dispatcherOf({ ack: 'completed', concurrency })
  const deliveries = Array.from({ length: 4 }, () => held.deliver())
  await settle()
  for (const request of held.pool.requests) request.complete(fileNotFound())
  await settle()
  return { ...held, deliveries, started: held.pool.requests.length }
}

describe('a delivery as a probe', () => {
  it('is one at a time, however many slots are free', async () => {
    const { pool, counters, dispatcher, deliveries, started } = await heldWith(3)
    expect(dispatcher.inFlight).toBe(0)
    for (let probe = 1; probe <= 5; probe += 1) {
      await aProbe()
      expect(pool.requests).toHaveLength(started + probe)
      expect(dispatcher.inFlight).toBe(1)
      pool.requests.at(-1)?.complete(fileNotFound())
    }
    await settle()
    expect(deliveries.map(({ settled }) => settled)).toEqual([[], [], [], []])
    expect(counters.counts).toMatchObject({ hold: 3, executed: 0 })
  })

  it('that succeeds ends the hold, and the rest follows', async () => {
    const { pool, events, intake, dispatcher, deliveries, started } = await heldWith(2)
    await aProbe()
    pool.requests.at(-1)?.complete(answer(200))
    await settle()
    expect(dispatcher.inFlight).toBe(2)
    expect(pool.requests).toHaveLength(started + 3)
    expect(intake.asked).toEqual([])
    expect(deliveries.filter(({ settled }) => settled.length > 0)).toHaveLength(1)
    expect([events.of('hold-began').length, events.of('hold-over').length]).toEqual([1, 1])
  })

  it('ends the hold by any answer of a script, be it a failure', async () => {
    const { pool, dispatcher, started } = await heldWith(1)
    await aProbe()
    pool.requests.at(-1)?.complete(answer(500))
    await settle()
    expect(dispatcher.inFlight).toBe(1)
    expect(pool.requests).toHaveLength(started + 2)
  })

  it('that has run for a second ends the hold, and keeps its slot', async () => {
    const { pool, dispatcher, started } = await heldWith(2)
    // The first probe comes after 50 to 100 ms.
    await vi.advanceTimersByTimeAsync(100)
    await vi.advanceTimersByTimeAsync(3_000)
    // It waits for a script that is ready.
    expect(pool.requests).toHaveLength(started + 1)
    pool.requests[started]?.onSent()
    await vi.advanceTimersByTimeAsync(900)
    expect(pool.requests).toHaveLength(started + 1)
    await vi.advanceTimersByTimeAsync(100)
    expect(pool.requests).toHaveLength(started + 2)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(pool.requests).toHaveLength(started + 2)
    expect(dispatcher.inFlight).toBe(2)
  })

  it('is not accompanied by what arrives meanwhile', async () => {
    const { pool, deliver, started } = await heldWith(3)
    await vi.advanceTimersByTimeAsync(100)
    deliver()
    await settle()
    expect(pool.requests).toHaveLength(started + 1)
  })

  it('waits for a delivery when there is none, and is not over because the pool takes connections', async () => {
    const { pool, events, deliver } = dispatcherOf({ ack: 'dispatched', concurrency: 1 })
    deliver()
    await settle()
    pool.requests[0]?.complete(fileNotFound())
    await vi.advanceTimersByTimeAsync(60_000)
    expect(pool.requests).toHaveLength(1)
    expect(events.of('hold-over')).toEqual([])
    deliver()
    await aProbe()
    pool.requests[1]?.complete(answer(200))
    await settle()
    expect(events.of('hold-over')).toHaveLength(1)
  })

  it('gives way to connects while the pool is away altogether, until it is back', async () => {
    const { pool, events, started } = await heldWith(1)
    pool.away = true
    await aProbe()
    pool.requests.at(-1)?.fail(connectFailure())
    await vi.advanceTimersByTimeAsync(60_000)
    expect(pool.requests).toHaveLength(started + 1)
    pool.away = false
    // The connect comes within a second, and the delivery soon after; one that runs for a second would end the hold.
    for (let waited = 0; pool.requests.length === started + 1 && waited < 1_200; waited += 50)
      await vi.advanceTimersByTimeAsync(50)
    expect(pool.requests).toHaveLength(started + 2)
    const noScript = expect.stringContaining('php-fpm runs no script')
    expect(events.all.filter(({ kind }) => kind.startsWith('hold-'))).toMatchObject([
      { kind: 'hold-began', reason: noScript },
      { kind: 'hold-changed', reason: 'no socket' },
      // That the pool is back says nothing of the script.
      { kind: 'hold-changed', reason: noScript },
    ])
  })
})

describe('draining while a delivery probes', () => {
  it('waits for its end, and hands it back when nothing ran', async () => {
    const { pool, dispatcher, deliveries } = await heldWith(1)
    await vi.advanceTimersByTimeAsync(100)
    let drained = false
    void dispatcher.drain().then(() => {
      drained = true
    })
    await settle()
    expect(drained).toBe(false)
    pool.requests.at(-1)?.complete(fileNotFound())
    await settle()
    expect(drained).toBe(true)
    expect(deliveries.map(({ settled }) => settled)).toEqual(Array(4).fill(['requeue']))
    expect(vi.getTimerCount()).toBe(0)
  })

  it('starts no other when that one succeeds', async () => {
    const { pool, dispatcher, deliveries, started } = await heldWith(1)
    await vi.advanceTimersByTimeAsync(100)
    const drained = dispatcher.drain()
    pool.requests.at(-1)?.complete(answer(200))
    await drained
    await settle()
    expect(pool.requests).toHaveLength(started + 1)
    // Another one probes than the one that failed.
    expect(deliveries.map(({ settled }) => settled)).toEqual([['requeue'], ['ack'], ['requeue'], ['requeue']])
    expect(vi.getTimerCount()).toBe(0)
  })
})
