import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { answer, fileNotFound } from '../../support/answers.ts'
import { FailingPublisher } from '../../support/recording.ts'
import { dispatcherOf } from './waiting-pool.ts'

/*
 * With `dispatched`: acked, and then php-fpm says that it ran nothing.
 */

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Lets everything happen that waits for no timer. */
const settle = () => vi.advanceTimersByTimeAsync(0)

const FAILS_ALWAYS = () => new FailingPublisher(Number.POSITIVE_INFINITY)

describe('a message that was acked and not executed', () => {
  it('holds the daemon and is put back into its queue, once', async () => {
    const { pool, events, counters, published, dispatcher, deliver } = dispatcherOf({ concurrency: 1 })
    const delivery = deliver('{"n":1}')
    await settle()
    pool.requests[0]?.complete(fileNotFound())
    await vi.advanceTimersByTimeAsync(60_000)
    expect(published.map(({ queue, body }) => [queue, body.toString()])).toEqual([['commands', '{"n":1}']])
    expect(delivery.settled).toEqual(['ack'])
    expect(dispatcher.inFlight).toBe(0)
    expect(counters.counts).toMatchObject({ hold: 1, lost: 0 })
    expect(events.of('hold-began')).toHaveLength(1)
  })

  it('is each of those that were in flight', async () => {
    const { pool, published, deliver } = dispatcherOf({ concurrency: 3 })
    for (const n of [1, 2, 3]) deliver(`{"n":${n}}`)
    await settle()
    for (const request of pool.requests) request.complete(fileNotFound())
    await settle()
    expect(published.map(({ body }) => body.toString())).toEqual(['{"n":1}', '{"n":2}', '{"n":3}'])
  })

  it('is put back once; what probes is not acked, and waits', async () => {
    const { pool, published, deliver } = dispatcherOf({ concurrency: 2 })
    for (let n = 0; n < 6; n += 1) deliver(`{"n":${n}}`)
    for (let turn = 0; turn < 20; turn += 1) {
      await vi.advanceTimersByTimeAsync(500)
      for (const request of pool.requests) request.complete(fileNotFound())
    }
    await settle()
    expect(published.map(({ body }) => body.toString()).toSorted()).toEqual(['{"n":0}', '{"n":1}'])
    expect(pool.requests.length).toBeGreaterThan(5)
  })

  it('was not acked when the answer came before the request was sent whole: it waits', async () => {
    const { pool, published, deliver } = dispatcherOf({ concurrency: 1 })
    const delivery = deliver('{"n":1}')
    await settle()
    pool.requests[0]?.succeed(fileNotFound())
    await vi.advanceTimersByTimeAsync(1_000)
    expect(published).toEqual([])
    expect(delivery.settled).toEqual([])
    expect(pool.requests[1]?.body.toString()).toBe('n=1&daemonId=D-1')
    pool.requests[1]?.complete(answer(200))
    await settle()
    expect(new Set(delivery.settled)).toEqual(new Set(['ack']))
  })
})

describe('draining while a message is put back', () => {
  it('waits until it is', async () => {
    const publisher = new FailingPublisher(5)
    const { pool, dispatcher, deliver } = dispatcherOf({ concurrency: 1 }, publisher)
    deliver()
    const waiting = deliver()
    await settle()
    pool.requests[0]?.complete(fileNotFound())
    await settle()
    let drained = false
    void dispatcher.drain().then(() => {
      drained = true
    })
    await settle()
    expect(waiting.settled).toEqual(['requeue'])
    expect(drained).toBe(false)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(drained).toBe(true)
    expect(publisher.tried).toHaveLength(6)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('still puts back what php-fpm refuses only then, and holds no more', async () => {
    const { pool, events, published, dispatcher, deliver } = dispatcherOf({ concurrency: 1 })
    const delivery = deliver()
    await settle()
    const drained = dispatcher.drain()
    pool.requests[0]?.complete(fileNotFound())
    await drained
    expect(published).toHaveLength(1)
    expect(delivery.settled).toEqual(['ack'])
    expect(events.kinds).toEqual(['put-back'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('ends when the daemon gives up, and tells what is lost', async () => {
    const { pool, events, counters, gaveUp, dispatcher, deliver } = dispatcherOf(
      { concurrency: 1 },
      FAILS_ALWAYS(),
    )
    deliver()
    await settle()
    pool.requests[0]?.complete(fileNotFound())
    const drained = dispatcher.drain()
    await vi.advanceTimersByTimeAsync(30_000)
    gaveUp.abort()
    await drained
    expect(events.all.at(-1)).toMatchObject({
      kind: 'lost',
      why: 'not-put-back',
      copy: { execution: { deliveryTag: 1 } },
    })
    expect(counters.counts).toMatchObject({ lost: 1, hold: 0 })
    expect(vi.getTimerCount()).toBe(0)
  })
})
