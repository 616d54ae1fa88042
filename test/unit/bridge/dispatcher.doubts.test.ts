import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { BridgePolicy } from '../../../src/bridge/ports.ts'
import { answer, refusal } from '../../support/answers.ts'
import type { RecordedEvents } from '../../support/recording.ts'
import { dispatcherOf, type WaitingRequest } from './waiting-pool.ts'

/* Whose fault is it: the message's, or can nothing be executed? */

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const STRICT: Partial<BridgePolicy> = {
  ack: 'completed',
  requireMarker: true,
  maxAttempts: 3,
  concurrency: 3,
  prefetch: 6,
}
const settle = () => vi.advanceTimersByTimeAsync(0)
const succeeds = (request?: WaitingRequest) =>
  request?.complete(answer(200, { headers: { 'x-bridge-outcome': 'ack' } }))
/** The application does not start: nobody says anything of the message. */
const breaks = (request?: WaitingRequest) => request?.complete(answer(500))
const holds = (events: RecordedEvents) => events.of('hold-began').length

describe('a message that fails alone', () => {
  it('is at fault when another one succeeds that was begun after it, and is retried at once', async () => {
    const { pool, published, events, deliver } = dispatcherOf({ ...STRICT, concurrency: 1 })
    deliver('{"poison":1}')
    deliver()
    await settle()
    breaks(pool.requests[0])
    await settle()
    expect(published).toEqual([])
    succeeds(pool.requests[1])
    await settle()
    expect(published.map(({ queue }) => queue)).toEqual(['commands.retry.1000'])
    expect(holds(events)).toBe(0)
  })

  it('is not at fault because one succeeds that was begun before: perhaps nothing starts any more', async () => {
    const { pool, published, deliver } = dispatcherOf(STRICT)
    deliver('{"before":1}')
    deliver('{"after":1}')
    await vi.advanceTimersByTimeAsync(10)
    breaks(pool.requests[1])
    await vi.advanceTimersByTimeAsync(10)
    succeeds(pool.requests[0])
    await settle()
    expect(published).toEqual([])
  })

  it('is at fault after a second in which nobody else came', async () => {
    const { pool, published, events, counters, deliver } = dispatcherOf(STRICT)
    deliver()
    await settle()
    breaks(pool.requests[0])
    await vi.advanceTimersByTimeAsync(999)
    expect(published).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(published).toHaveLength(1)
    expect(counters.counts).toMatchObject({ retry: 1, hold: 0 })
    expect(holds(events)).toBe(0)
  })

  it('takes no slot while it waits', async () => {
    const { pool, deliver } = dispatcherOf({ ...STRICT, concurrency: 1 })
    for (let n = 0; n < 3; n += 1) deliver(`{"n":${n}}`)
    await settle()
    breaks(pool.requests[0])
    await settle()
    expect(pool.requests).toHaveLength(2)
  })

  it('goes back to the broker when the daemon drains', async () => {
    const { pool, deliver, dispatcher } = dispatcherOf(STRICT)
    const delivery = deliver()
    await settle()
    breaks(pool.requests[0])
    await settle()
    await dispatcher.drain()
    expect(delivery.settled).toEqual(['requeue'])
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('three different messages that fail one after the other', () => {
  async function broken() {
    const world = dispatcherOf(STRICT)
    for (let n = 1; n <= 6; n += 1) world.deliver(`{"n":${n}}`)
    await settle()
    // Slots become free before the third has failed: two more are begun.
    for (let failed = 0; failed < world.pool.requests.length; failed += 1) {
      breaks(world.pool.requests[failed])
      await settle()
    }
    expect(world.pool.requests).toHaveLength(5)
    return world
  }

  it('are a hold: none of them is settled', async () => {
    const { pool, published, events } = await broken()
    expect(holds(events)).toBe(1)
    await vi.advanceTimersByTimeAsync(20)
    expect(pool.requests).toHaveLength(5)
    expect(published).toEqual([])
  })

  it('are probed with a different one each time, for as long as it takes, and none counts', async () => {
    const { pool, published, counters } = await broken()
    for (let turn = 0; turn < 20; turn += 1) {
      await vi.advanceTimersByTimeAsync(1_000)
      breaks(pool.requests.at(-1))
    }
    await settle()
    const probed = pool.requests.slice(5).map(({ body }) => body.toString().slice(0, 3))
    expect(probed.slice(0, 6).toSorted()).toEqual(['n=1', 'n=2', 'n=3', 'n=4', 'n=5', 'n=6'])
    expect(published).toEqual([])
    expect(counters.counts).toMatchObject({ retry: 0, 'dead-letter': 0 })
  })

  it('are all executed as their first attempt when it is over', async () => {
    const { pool, published, events } = await broken()
    const before = pool.requests.length
    for (let done = before; done < before + 6; done += 1) {
      await vi.advanceTimersByTimeAsync(1_000)
      for (const request of pool.requests.slice(before)) succeeds(request)
    }
    await settle()
    const bodies = pool.requests.slice(before).map(({ body }) => body.toString().slice(0, 3))
    expect(bodies.toSorted()).toEqual(['n=1', 'n=2', 'n=3', 'n=4', 'n=5', 'n=6'])
    expect(pool.requests.map(({ params }) => params['AMQP_ATTEMPT'])).toEqual(Array(11).fill('1'))
    expect(published).toEqual([])
    expect(events.of('hold-over')).toHaveLength(1)
  })

  it('are one when it is the same message that comes again', async () => {
    const { pool, published, events, deliver } = dispatcherOf(STRICT)
    for (let n = 0; n < 5; n += 1) {
      deliver('{"poison":1}')
      await settle()
      breaks(pool.requests.at(-1))
      await vi.advanceTimersByTimeAsync(1_000)
    }
    expect(holds(events)).toBe(0)
    expect(published).toHaveLength(5)
  })
})

describe('a worker that answers as php-fpm does for a missing script', () => {
  const lies = (request?: WaitingRequest) => request?.complete(refusal(404, 'File not found.\n'))

  it('is at fault, with dispatched, when another message is executed', async () => {
    const { pool, published, events, counters, deliver } = dispatcherOf({ concurrency: 1 })
    deliver('{"evil":1}')
    deliver()
    await settle()
    lies(pool.requests[0])
    await settle()
    pool.requests[1]?.complete(answer(200))
    await settle()
    expect(counters.counts).toMatchObject({ refused: 1, executed: 1, hold: 0 })
    expect(published).toEqual([])
    expect(holds(events)).toBe(0)
  })

  it('is believed when three messages are answered so, and what was acked goes back', async () => {
    const { pool, published, events, deliver } = dispatcherOf({ concurrency: 3 })
    for (let n = 1; n <= 3; n += 1) deliver(`{"n":${n}}`)
    await settle()
    for (const request of pool.requests.slice()) lies(request)
    await settle()
    expect(holds(events)).toBe(1)
    expect(published.map(({ queue }) => queue)).toEqual(Array(3).fill('commands'))
  })
})

describe('a worker that says that nothing can be executed', () => {
  const alarms = (request?: WaitingRequest, after = '0') =>
    request?.complete(answer(503, { headers: { 'x-bridge-outcome': 'hold', 'retry-after': after } }))

  it('is believed at once, and left alone for as long as it says', async () => {
    const { pool, published, events, deliver } = dispatcherOf({ ...STRICT, concurrency: 1 })
    deliver('{"n":1}')
    deliver('{"n":2}')
    await settle()
    alarms(pool.requests[0], '30')
    await vi.advanceTimersByTimeAsync(29_999)
    expect([holds(events), pool.requests.length]).toEqual([1, 1])
    await vi.advanceTimersByTimeAsync(1)
    expect(pool.requests).toHaveLength(2)
    expect(published).toEqual([])
  })

  it('is quoted where the hold is told, with its message', async () => {
    const { pool, events, deliver } = dispatcherOf(STRICT)
    deliver()
    await settle()
    const headers = { 'x-bridge-outcome': 'hold', 'x-bridge-subject': 'App\\SendInvoice' }
    pool.requests[0]?.complete(answer(503, { headers, stderr: 'PHP message: the database is away' }))
    await settle()
    expect(events.of('hold-began')[0]?.met).toMatchObject({
      execution: { executionId: pool.requests[0]?.params['AMQP_EXECUTION_ID'] },
      diagnosis: {
        subject: 'App\\SendInvoice',
        status: 503,
        stderr: 'PHP message: the database is away',
      },
    })
  })

  it('is not believed for ever, when others are executed meanwhile', async () => {
    const { pool, published, deliver } = dispatcherOf({ ...STRICT, concurrency: 1 })
    deliver('{"wolf":1}')
    for (let turn = 0; turn < 12; turn += 1) {
      if (turn % 2 === 1) deliver(`{"n":${turn}}`)
      await vi.advanceTimersByTimeAsync(1_000)
      for (const request of pool.requests) {
        if (request.body.toString().startsWith('wolf')) alarms(request)
        else succeeds(request)
      }
    }
    await settle()
    expect(published.map(({ queue, body }) => [queue, body.toString()])).toEqual([
      ['commands.retry.1000', '{"wolf":1}'],
    ])
  })

  it('is believed for hours, when nobody else is executed either', async () => {
    const { pool, published, deliver } = dispatcherOf({ ...STRICT, concurrency: 1 })
    for (let n = 0; n < 3; n += 1) deliver(`{"n":${n}}`)
    for (let turn = 0; turn < 600; turn += 1) {
      await vi.advanceTimersByTimeAsync(1_000)
      alarms(pool.requests.at(-1))
    }
    expect(pool.requests.length).toBeGreaterThan(300)
    expect(published).toEqual([])
  })
})
