import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { answer, connectFailure, connectionLost, sendFailure } from '../../support/answers.ts'
import { dispatcherOf } from './waiting-pool.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Lets everything happen that waits for no timer. */
const settle = () => vi.advanceTimersByTimeAsync(0)

describe('a pool that is away', () => {
  it('holds what could not be sent and sends it again when the pool is back', async () => {
    const { pool, events, counters, deliver } = dispatcherOf({ concurrency: 1 })
    const delivery = deliver('{"n":1}')
    deliver('{"n":2}')
    await settle()
    pool.away = true
    pool.requests[0]?.fail(connectFailure())
    await vi.advanceTimersByTimeAsync(60_000)
    expect(pool.requests).toHaveLength(1)
    expect(delivery.settled).toEqual([])
    pool.away = false
    await vi.advanceTimersByTimeAsync(1_000)
    expect(pool.requests.map(({ body }) => body.toString())).toEqual(['n=1&daemonId=D-1', 'n=1&daemonId=D-1'])
    pool.requests[1]?.complete(answer(200))
    await settle()
    expect(delivery.settled).toContain('ack')
    expect(counters.counts).toMatchObject({ hold: 1, executed: 1 })
    expect(events.kinds).toEqual(['hold-began', 'held', 'hold-over', 'settled'])
  })

  it('is found out before the first delivery', async () => {
    const { pool, domain, deliver } = dispatcherOf()
    pool.away = true
    await domain.probe()
    deliver()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(pool.requests).toHaveLength(0)
    pool.away = false
    await vi.advanceTimersByTimeAsync(1_000)
    expect(pool.requests).toHaveLength(1)
  })

  it('lets several requests fail, and holds once', async () => {
    const { pool, events, deliver } = dispatcherOf({ concurrency: 4 })
    for (let n = 0; n < 4; n += 1) deliver()
    await settle()
    pool.away = true
    for (const request of pool.requests) request.fail(connectFailure())
    await settle()
    expect(events.kinds).toEqual(['hold-began', ...Array(4).fill('held')])
    expect(events.of('failed')).toMatchObject(Array(4).fill({ code: 'CONNECT_FAILED', phase: 'connect' }))
  })

  it('drops what was held of a session that ended meanwhile', async () => {
    const { pool, domain, deliver } = dispatcherOf({ concurrency: 1 })
    pool.away = true
    await domain.probe()
    const stale = deliver()
    stale.live = false
    pool.away = false
    await vi.advanceTimersByTimeAsync(1_000)
    expect(pool.requests).toHaveLength(0)
    expect(stale.settled).toEqual([])
  })
})

describe('draining', () => {
  it('of an idle dispatcher ends at once', async () => {
    const { dispatcher } = dispatcherOf()
    await expect(dispatcher.drain()).resolves.toBeUndefined()
  })

  it('hands back what has not started and waits for what has', async () => {
    const { pool, dispatcher, deliver } = dispatcherOf({ concurrency: 1 })
    const [running, waiting] = [deliver(), deliver()]
    await settle()
    let drained = false
    void dispatcher.drain().then(() => {
      drained = true
    })
    await settle()
    expect(waiting.settled).toEqual(['requeue'])
    const late = deliver()
    expect(late.settled).toEqual(['requeue'])
    expect(drained).toBe(false)
    pool.requests[0]?.complete(answer(200))
    await settle()
    expect(drained).toBe(true)
    expect(running.settled).toContain('ack')
    expect(running.settled).not.toContain('requeue')
    expect(pool.requests).toHaveLength(1)
  })

  it('hands back what cannot be sent any more, and does not hold', async () => {
    const { pool, events, dispatcher, deliver } = dispatcherOf()
    const delivery = deliver()
    await settle()
    const drained = dispatcher.drain()
    pool.requests[0]?.fail(connectFailure())
    await drained
    expect(delivery.settled).toEqual(['requeue'])
    expect(events.kinds).toEqual(['held'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('ends a hold', async () => {
    const { pool, domain, dispatcher, deliver } = dispatcherOf()
    pool.away = true
    await domain.probe()
    const delivery = deliver()
    await dispatcher.drain()
    expect(delivery.settled).toEqual(['requeue'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('may be asked for twice', async () => {
    const { pool, dispatcher, deliver } = dispatcherOf()
    deliver()
    await settle()
    const both = Promise.all([dispatcher.drain(), dispatcher.drain()])
    let ended = false
    void both.then(() => {
      ended = true
    })
    pool.requests[0]?.complete(answer(200))
    await settle()
    expect(ended).toBe(true)
  })
})

describe('no failure leaves a delivery unsettled', () => {
  it('of a request that was answered before it was sent whole: it may have run, and is acked', async () => {
    const { pool, events, deliver } = dispatcherOf()
    const delivery = deliver()
    await settle()
    // No onSent: the pool's answer made no sense while the body was still on its way.
    pool.requests[0]?.fail(connectionLost())
    await vi.advanceTimersByTimeAsync(10_000)
    expect(pool.requests).toHaveLength(1)
    expect(delivery.settled).toEqual(['ack'])
    expect(events.kinds).toContain('lost')
  })

  it('of a request whose upload the pool breaks off each time: the third is the last', async () => {
    const { pool, deliver } = dispatcherOf({ concurrency: 1 })
    const delivery = deliver()
    // Such as a raw body that a script dies over before it has read it: it ran, each time.
    let tries = 0
    for (; tries < 100 && delivery.settled.length === 0; tries += 1) {
      await vi.advanceTimersByTimeAsync(1_000)
      pool.requests.at(-1)?.fail(sendFailure())
    }
    expect(delivery.settled).toEqual(['ack'])
    expect(pool.requests).toHaveLength(3)
  })
})
