import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { copyOf } from '../../../src/bridge/copy-headers.ts'
import type { OutgoingMessage } from '../../../src/bridge/ports.ts'
import { answer } from '../../support/answers.ts'
import { config, executionOf, FailingPublisher, RecordingDelivery } from '../../support/recording.ts'
import { dispatcherOf } from './waiting-pool.ts'

/*
 * Messages that have come back often: a quorum queue drops them in the end.
 */

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Lets everything happen that waits for no timer. */
const settle = () => vi.advanceTimersByTimeAsync(0)

const returned = (count: unknown, headers: Record<string, unknown> = {}) =>
  new RecordingDelivery({
    body: '{"n":1}',
    properties: { messageId: 'm-1', headers: { ...headers, 'x-delivery-count': count } },
  })

describe('a message that has come back 10 times', () => {
  it('is put back as a new one before it is acked, and not executed', async () => {
    const { pool, events, published, dispatcher } = dispatcherOf()
    const delivery = returned(10, { a: 1 })
    dispatcher.accept(delivery)
    expect(delivery.settled).toEqual([])
    await settle()
    expect(published).toMatchObject([
      {
        queue: 'commands',
        body: Buffer.from('{"n":1}'),
        properties: { messageId: 'm-1' },
        headers: expect.arrayContaining([
          ['a', 1],
          ['x-fpm-bridge-attempt', 0],
        ]),
      },
    ])
    expect(Object.fromEntries(published[0]?.headers ?? [])).not.toHaveProperty('x-delivery-count')
    expect(delivery.settled).toEqual(['ack'])
    expect(pool.requests).toEqual([])
    const copy = { messageId: 'm-1', queue: 'commands', reason: expect.stringContaining('10 times') }
    expect(events.all).toMatchObject([{ kind: 'delivered' }, { kind: 'delivery-count-reset', copy }])
  })

  it('keeps the number of its executions', async () => {
    const { published, dispatcher } = dispatcherOf({ ack: 'completed' })
    dispatcher.accept(returned(12, { 'x-fpm-bridge-attempt': 3 }))
    await settle()
    expect(Object.fromEntries(published[0]?.headers ?? [])).toMatchObject({ 'x-fpm-bridge-attempt': 3 })
  })

  it('takes no slot, and waits for no pool', async () => {
    const { pool, domain, dispatcher, deliver } = dispatcherOf({ concurrency: 1 }, new FailingPublisher(1))
    pool.away = true
    await domain.probe()
    const delivery = returned(20)
    dispatcher.accept(delivery)
    expect(dispatcher.inFlight).toBe(0)
    await vi.advanceTimersByTimeAsync(500)
    expect(delivery.settled).toEqual(['ack'])
    pool.away = false
    deliver()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(pool.requests).toHaveLength(1)
  })

  it('is executed as it is when its queue takes no copy', async () => {
    const { pool, published, dispatcher } = dispatcherOf({}, new FailingPublisher(Number.POSITIVE_INFINITY))
    const delivery = returned(10)
    dispatcher.accept(delivery)
    await vi.advanceTimersByTimeAsync(4_900)
    expect(published.length).toBeGreaterThan(1)
    expect(pool.requests).toEqual([])
    await vi.advanceTimersByTimeAsync(200)
    expect(pool.requests).toHaveLength(1)
    const tried = published.length
    await vi.advanceTimersByTimeAsync(60_000)
    expect(published).toHaveLength(tried)
  })

  it('is let go when its session ends', async () => {
    const { pool, published, dispatcher } = dispatcherOf({}, new FailingPublisher(Number.POSITIVE_INFINITY))
    const delivery = returned(10)
    dispatcher.accept(delivery)
    await vi.advanceTimersByTimeAsync(500)
    delivery.live = false
    await vi.advanceTimersByTimeAsync(60_000)
    expect([published.length < 4, pool.requests, delivery.settled]).toEqual([true, [], []])
    void dispatcher.drain()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is waited for by a drain; what comes after that goes back at once', async () => {
    const { dispatcher } = dispatcherOf({}, new FailingPublisher(2))
    const [first, second, late] = [returned(10), returned(10), returned(10)]
    dispatcher.accept(first)
    dispatcher.accept(second)
    let drained = false
    void dispatcher.drain().then(() => {
      drained = true
    })
    dispatcher.accept(late)
    await settle()
    expect(late.settled).toEqual(['requeue'])
    expect(drained).toBe(false)
    await vi.advanceTimersByTimeAsync(60_000)
    expect([first, second].map(({ settled }) => settled)).toEqual([['ack'], ['ack']])
    expect(drained).toBe(true)
  })
})

it.each([9, 0, -1, 10.5, '10', null, undefined, Number.NaN])(
  'a message that has come back %s times is executed',
  async (count) => {
    const { pool, published, dispatcher } = dispatcherOf()
    dispatcher.accept(returned(count))
    await settle()
    expect(pool.requests).toHaveLength(1)
    expect(published).toEqual([])
  },
)

it('a dead letter still tells how often it had come back', () => {
  const { headers } = copyOf(executionOf(returned(12)), 'dead-letter', { reason: 'x', attempt: 1 }, config)
  expect(headers).toContainEqual(['x-delivery-count', 12])
})

describe('a parked message that has come back 10 times', () => {
  it('is put back as a new one, and is still parked when that comes', async () => {
    const published: OutgoingMessage[] = []
    const publisher = {
      async publish(message: OutgoingMessage): Promise<void> {
        if (message.queue === 'commands.dead')
          throw Object.assign(new Error('full'), { code: 'NOT_CONFIRMED' })
        published.push(message)
      },
    }
    const { pool, events, dispatcher } = dispatcherOf({ ack: 'completed', maxAttempts: 1 }, publisher)
    const first = new RecordingDelivery({ body: '{"n":1}', properties: { messageId: 'm-1' } })
    dispatcher.accept(first)
    await settle()
    pool.requests[0]?.complete(answer(500))
    await vi.advanceTimersByTimeAsync(5_000)
    expect(events.all.at(-1)?.kind).toBe('parked')
    first.live = false

    dispatcher.accept(returned(10))
    await settle()
    expect(published.map(({ queue }) => queue)).toEqual(['commands'])
    const headers = { 'x-fpm-bridge-queue': 'commands' }
    const anew = new RecordingDelivery({ body: '{"n":1}', properties: { messageId: 'm-1', headers } })
    dispatcher.accept(anew)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(pool.requests).toHaveLength(1)
    expect(anew.settled).toEqual([])
  })
})
