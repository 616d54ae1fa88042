import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { answer, connectionLost } from '../../support/answers.ts'
import { FailingPublisher } from '../../support/recording.ts'
import { dispatcherOf } from './waiting-pool.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Lets everything happen that waits for no timer. */
const settle = () => vi.advanceTimersByTimeAsync(0)

describe('dispatching', () => {
  it('acks when the request is sent, and not before', async () => {
    const { pool, deliver } = dispatcherOf()
    const delivery = deliver()
    await settle()
    expect(delivery.settled).toEqual([])
    pool.requests[0]?.onSent()
    expect(delivery.settled).toEqual(['ack'])
  })

  it('sends body and params of the message', async () => {
    const { pool, deliver } = dispatcherOf()
    deliver('{"number":7}')
    await settle()
    expect(pool.requests[0]?.body.toString()).toBe('number=7&daemonId=D-1')
    expect(pool.requests[0]?.params).toMatchObject({ AMQP_ROUTING_KEY: 'commands' })
  })

  it('gives each execution an id of its own', async () => {
    const { pool, deliver } = dispatcherOf({ concurrency: 10 })
    for (let n = 0; n < 10; n += 1) deliver()
    await settle()
    const ids = pool.requests.map(({ params }) => params['AMQP_EXECUTION_ID'])
    expect(new Set(ids).size).toBe(10)
  })

  it('keeps the slot until the answer has ended, although the delivery is acked', async () => {
    const { pool, dispatcher, deliver } = dispatcherOf({ concurrency: 2 })
    for (let n = 0; n < 5; n += 1) deliver()
    await settle()
    expect(pool.requests).toHaveLength(2)
    for (const request of pool.requests) request.onSent()
    await settle()
    expect(pool.requests).toHaveLength(2)
    expect(dispatcher.inFlight).toBe(2)
    pool.requests[0]?.succeed(answer(200))
    await settle()
    expect(pool.requests).toHaveLength(3)
    expect(dispatcher.inFlight).toBe(2)
  })

  it('frees the slot with the answer, not when the copy is there; but as many as are prefetched are settled at once', async () => {
    const { pool, dispatcher, deliver } = dispatcherOf(
      { ack: 'completed', concurrency: 1, prefetch: 2 },
      new FailingPublisher(Number.POSITIVE_INFINITY),
    )
    for (let n = 0; n < 4; n += 1) deliver()
    for (let turn = 0; turn < 4; turn += 1) {
      await settle()
      pool.requests.at(-1)?.complete(answer(500))
    }
    await vi.advanceTimersByTimeAsync(4_000)
    expect(pool.requests).toHaveLength(2)
    expect(dispatcher.inFlight).toBe(2)
  })

  it('starts deliveries in the order of their arrival', async () => {
    const { pool, deliver } = dispatcherOf({ concurrency: 1 })
    for (let n = 1; n <= 3; n += 1) deliver(`{"n":${n}}`)
    for (let n = 1; n <= 3; n += 1) {
      await settle()
      expect(pool.requests.at(-1)?.body.toString()).toBe(`n=${n}&daemonId=D-1`)
      pool.requests.at(-1)?.complete(answer(200))
    }
  })

  it('leaves a slot empty for a moment whose request was cut off: a dying pool still takes requests', async () => {
    const { pool, deliver } = dispatcherOf({ concurrency: 1 })
    deliver()
    deliver()
    await settle()
    pool.requests[0]?.onSent()
    pool.requests[0]?.fail(connectionLost())
    await vi.advanceTimersByTimeAsync(99)
    expect(pool.requests).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(pool.requests).toHaveLength(2)
  })

  it('counts and tells each end', async () => {
    const { pool, events, counters, dispatcher, deliver } = dispatcherOf({ concurrency: 4 })
    const deliveries = [deliver(), deliver(), deliver(), deliver('no JSON')]
    await settle()
    pool.requests[0]?.complete(answer(200))
    pool.requests[1]?.complete(answer(500, { stderr: 'PHP Fatal error: boom' }))
    pool.requests[2]?.onSent()
    pool.requests[2]?.fail(connectionLost())
    await vi.advanceTimersByTimeAsync(100)
    expect(counters.counts).toEqual({
      executed: 1,
      refused: 1,
      lost: 1,
      retry: 0,
      'dead-letter': 1,
      hold: 0,
    })
    expect(dispatcher.inFlight).toBe(0)
    expect(events.of('settled').toSorted((a, b) => (a.by < b.by ? -1 : 1))).toMatchObject([
      { by: 'ack', outcome: { kind: 'executed', status: 200 } },
      { by: 'ack', outcome: { kind: 'refused', status: 500, stderr: 'PHP Fatal error: boom' } },
      { by: 'copy', outcome: { kind: 'dead-letter' }, copyTo: 'commands.dead', acked: true },
    ])
    expect(events.of('lost')).toMatchObject([
      { why: 'no-answer', diagnosis: { reason: 'the connection ended' } },
    ])
    for (const { settled } of deliveries) expect(settled).toEqual(['ack'])
  })

  it('tells each step of a delivery on its way, in its order', async () => {
    const { pool, events, deliver } = dispatcherOf()
    deliver('{"n":1}', { messageId: 'm-1', timestamp: 1_700_000_000 })
    await vi.advanceTimersByTimeAsync(50)
    pool.requests[0]?.complete(answer(200))
    await settle()
    const execution = { messageId: 'm-1', executionId: pool.requests[0]?.params['AMQP_EXECUTION_ID'] }
    expect(events.all).toMatchObject([
      { kind: 'delivered', deliveryTag: 1, messageId: 'm-1', redelivered: false, bytes: 7 },
      { kind: 'started', execution, timestamp: 1_700_000_000 },
      { kind: 'sent', execution },
      { kind: 'answered', execution, status: 200, timings: { total: 2 } },
      { kind: 'settled', execution },
    ])
  })

  it('tells what was acked and has not been answered when the process ends', async () => {
    const { pool, events, dispatcher, deliver } = dispatcherOf()
    for (const messageId of ['acked', 'not sent']) deliver('{}', { messageId })
    await settle()
    pool.requests[0]?.onSent()
    dispatcher.tellAbandoned()
    expect(events.of('lost')).toMatchObject([{ why: 'abandoned', execution: { messageId: 'acked' } }])
  })

  it('dead-letters what cannot be a form, without a request', async () => {
    const { pool, published, deliver } = dispatcherOf()
    const delivery = deliver('no JSON')
    await settle()
    expect(pool.requests).toHaveLength(0)
    expect(published.map(({ queue, body }) => [queue, body.toString()])).toEqual([
      ['commands.dead', 'no JSON'],
    ])
    expect(delivery.settled).toEqual(['ack'])
  })

  it('does not start what came with a session that is gone', async () => {
    const { pool, dispatcher, deliver } = dispatcherOf({ concurrency: 1 })
    deliver()
    const stale = deliver()
    const fresh = deliver('{"fresh":1}')
    stale.live = false
    await settle()
    pool.requests[0]?.complete(answer(200))
    await settle()
    expect(pool.requests.map(({ body }) => body.toString())).toEqual(['daemonId=D-1', 'fresh=1&daemonId=D-1'])
    expect(stale.settled).toEqual([])
    expect(fresh.settled).toEqual([])
    expect(dispatcher.inFlight).toBe(1)
  })
})
