import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { answer } from '../../support/answers.ts'
import { RecordingDelivery } from '../../support/recording.ts'
import { dispatcherOf } from './waiting-pool.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const settle = () => vi.advanceTimersByTimeAsync(0)
const COMPLETED = { ack: 'completed', concurrency: 4 } as const
const properties = { messageId: 'M-1', headers: { tenant: 'acme' } }

/** A message that is executed while its session ends. */
async function orphan(given: Parameters<typeof dispatcherOf>[0] = COMPLETED) {
  const bridge = dispatcherOf(given)
  const first = new RecordingDelivery({ properties })
  bridge.dispatcher.accept(first)
  await settle()
  bridge.pool.requests[0]?.onSent()
  first.live = false
  const again = (more: ConstructorParameters<typeof RecordingDelivery>[0] = {}) => {
    const delivery = new RecordingDelivery({ properties, redelivered: true, ...more })
    bridge.dispatcher.accept(delivery)
    return delivery
  }
  return { ...bridge, first, again }
}

describe('a message that is delivered again while it is executed', () => {
  it('is not executed beside itself; its execution acks the new delivery', async () => {
    const { pool, first, again, events } = await orphan()
    const second = again({ deliveryTag: 2 })
    await settle()
    expect(pool.requests).toHaveLength(1)
    pool.requests[0]?.succeed(answer(200))
    await settle()
    expect([first.settled, second.settled]).toEqual([[], ['ack']])
    expect(events.of('adopted')).toEqual([{ kind: 'adopted', deliveryTag: 2, messageId: 'M-1' }])
    expect(events.of('settled')).toMatchObject([{ by: 'ack', execution: { deliveryTag: 2 } }])
  })

  it('is told from others also by an integer of a kind that JSON has not', async () => {
    const { pool, again } = await orphan()
    again({ properties: { ...properties, headers: { ...properties.headers, large: 2n ** 62n } } })
    await settle()
    expect(pool.requests).toHaveLength(2)
  })

  it('counts as one execution when that fails', async () => {
    const { pool, published, again } = await orphan()
    const second = again()
    pool.requests[0]?.succeed(answer(500))
    await settle()
    expect(Object.fromEntries(published[0]?.headers ?? [])).toMatchObject({ 'x-fpm-bridge-attempt': 1 })
    expect(second.settled).toEqual(['ack'])
  })

  it('may lose one session after the other', async () => {
    const { pool, again } = await orphan()
    const second = again()
    second.live = false
    const third = again({ properties: { ...properties, headers: { tenant: 'acme', 'x-delivery-count': 2 } } })
    pool.requests[0]?.succeed(answer(200))
    await settle()
    expect([pool.requests.length, second.settled, third.settled]).toEqual([1, [], ['ack']])
  })

  it('is executed again when its execution has ended before', async () => {
    const { pool, again } = await orphan()
    pool.requests[0]?.succeed(answer(200))
    await settle()
    again()
    await settle()
    expect(pool.requests).toHaveLength(2)
  })
})

describe('what is delivered beside a running execution is executed', () => {
  it.each<[string, ConstructorParameters<typeof RecordingDelivery>[0]]>([
    ['another body', { body: '{"n":1}' }],
    ['another id', { properties: { ...properties, messageId: 'M-2' } }],
    ['other headers', { properties: { ...properties, headers: { tenant: 'other' } } }],
    ['another routing key', { routingKey: 'other' }],
    ['not delivered before', { redelivered: false }],
  ])('%s', async (_, more) => {
    const { pool, again } = await orphan()
    again(more)
    await settle()
    expect(pool.requests).toHaveLength(2)
  })

  it('one like it, as soon as that has come again', async () => {
    const { pool, again } = await orphan()
    again()
    again()
    await settle()
    expect(pool.requests).toHaveLength(2)
  })

  it('one like it, while that is still its session’s', async () => {
    const { pool, first, again } = await orphan()
    first.live = true
    again()
    await settle()
    expect(pool.requests).toHaveLength(2)
  })

  it('with dispatched: what runs there has been acked', async () => {
    const { pool, again } = await orphan({ ...COMPLETED, ack: 'dispatched' })
    again()
    await settle()
    expect(pool.requests).toHaveLength(2)
  })
})
