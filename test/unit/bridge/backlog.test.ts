import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Backlog } from '../../../src/bridge/backlog.ts'
import { Patience } from '../../../src/bridge/patience.ts'
import type { BridgePolicy } from '../../../src/bridge/ports.ts'
import { config, executionOf, RecordingDelivery } from '../../support/recording.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const MINUTE = 60_000

/** With the default limits: a completed execution may take 25 of the broker's 30 minutes. */
const LIMITS = { ack: 'completed', timeout: 25 * MINUTE, consumerTimeout: 30 * MINUTE } as const

function waitingFor(count: number, given: Partial<BridgePolicy> = {}) {
  const backlog = new Backlog(new Patience({ ...config, ...LIMITS, ...given }, () => {}))
  const deliveries = Array.from({ length: count }, (_, index) => {
    const delivery = new RecordingDelivery({ deliveryTag: index + 1 })
    backlog.add(executionOf(delivery))
    return delivery
  })
  const nextTag = () => backlog.next()?.deliveryTag
  return { backlog, deliveries, nextTag }
}

const settledBy = (deliveries: readonly RecordingDelivery[]) => deliveries.map(({ settled }) => settled)

describe('what waits', () => {
  it('comes in the order of its arrival, each once', () => {
    const { nextTag } = waitingFor(3)
    expect([nextTag(), nextTag(), nextTag(), nextTag()]).toEqual([1, 2, 3, undefined])
  })

  it('comes first when it is put back', () => {
    const { backlog, nextTag } = waitingFor(3)
    const first = backlog.next()
    if (first !== undefined) backlog.putBack(first)
    expect([nextTag(), nextTag(), nextTag()]).toEqual([1, 2, 3])
  })

  it('is handed back as a whole, once', () => {
    const { backlog, deliveries } = waitingFor(2)
    backlog.handBackAll()
    backlog.handBackAll()
    expect(settledBy(deliveries)).toEqual([['requeue'], ['requeue']])
    expect(backlog.next()).toBeUndefined()
  })
})

describe('age', () => {
  it.each<[string, Partial<BridgePolicy>, number]>([
    ['completed: what the longest execution and a minute leave', {}, 4 * MINUTE],
    ['completed without a time limit: all but a minute', { timeout: 0 }, 29 * MINUTE],
    ['dispatched, acked before it runs: all but a minute', { ack: 'dispatched' }, 29 * MINUTE],
    ['a shorter patience', { consumerTimeout: 26 * MINUTE + 1 }, 1],
  ])('%s', async (_, given, age) => {
    const { backlog, deliveries, nextTag } = waitingFor(1, given)
    await vi.advanceTimersByTimeAsync(age - 1)
    expect(backlog.stale).toBe(false)
    expect(nextTag()).toBe(1)
    for (const delivery of deliveries) backlog.putBack(executionOf(delivery))
    await vi.advanceTimersByTimeAsync(1)
    expect(backlog.stale).toBe(true)
    expect(nextTag()).toBeUndefined()
    expect(settledBy(deliveries)).toEqual([['requeue']])
  })

  it.each(['completed', 'dispatched'] as const)(
    'does not matter when the broker has no limit (%s)',
    async (ack) => {
      const { backlog, nextTag } = waitingFor(1, { ack, consumerTimeout: 0 })
      await vi.advanceTimersByTimeAsync(1_000 * 60 * MINUTE)
      expect(backlog.stale).toBe(false)
      backlog.handBackStale()
      expect(nextTag()).toBe(1)
    },
  )

  it('counts from the arrival, not from being put back', async () => {
    const { backlog, deliveries } = waitingFor(1)
    await vi.advanceTimersByTimeAsync(3 * MINUTE)
    const delivery = backlog.next()
    await vi.advanceTimersByTimeAsync(MINUTE)
    if (delivery !== undefined) backlog.putBack(delivery)
    expect(backlog.next()).toBeUndefined()
    expect(settledBy(deliveries)).toEqual([['requeue']])
  })

  it('hands back what is too old on the way to the first that is not', async () => {
    const { backlog, deliveries } = waitingFor(2)
    await vi.advanceTimersByTimeAsync(4 * MINUTE)
    backlog.add(executionOf(new RecordingDelivery({ deliveryTag: 3 })))
    expect(backlog.next()?.deliveryTag).toBe(3)
    expect(settledBy(deliveries)).toEqual([['requeue'], ['requeue']])
  })

  it('hands back what is too old, and keeps the rest in its order', async () => {
    const { backlog, deliveries, nextTag } = waitingFor(2)
    await vi.advanceTimersByTimeAsync(4 * MINUTE)
    const young = [3, 4].map((deliveryTag) => new RecordingDelivery({ deliveryTag }))
    for (const delivery of young) backlog.add(executionOf(delivery))
    backlog.handBackStale()
    expect(settledBy([...deliveries, ...young])).toEqual([['requeue'], ['requeue'], [], []])
    expect(backlog.stale).toBe(false)
    expect([nextTag(), nextTag(), nextTag()]).toEqual([3, 4, undefined])
  })
})

describe('a session that has ended', () => {
  it('takes along what waited, without a word to the broker', () => {
    const { deliveries, nextTag } = waitingFor(3)
    for (const delivery of deliveries.slice(0, 2)) delivery.live = false
    expect([nextTag(), nextTag()]).toEqual([3, undefined])
    expect(settledBy(deliveries)).toEqual([[], [], []])
  })

  it('leaves nothing behind that is too old', async () => {
    const { backlog, deliveries } = waitingFor(2)
    for (const delivery of deliveries) delivery.live = false
    await vi.advanceTimersByTimeAsync(60 * MINUTE)
    expect(backlog.stale).toBe(false)
  })

  it('is forgotten as soon as the next one delivers', () => {
    const { backlog, deliveries } = waitingFor(2)
    for (const delivery of deliveries) delivery.live = false
    backlog.add(executionOf(new RecordingDelivery()))
    backlog.handBackAll()
    expect(settledBy(deliveries)).toEqual([[], []])
  })
})
