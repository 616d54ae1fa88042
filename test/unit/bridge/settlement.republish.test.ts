import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FailingPublisher, RecordingDelivery } from '../../support/recording.ts'
import { finished, settlementWith } from '../../support/settling.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Acked when it was sent; then its session may have ended. */
function acked(delivery = new RecordingDelivery()) {
  const execution = finished(delivery)
  execution.ack()
  return execution
}

describe('a message that was acked and not executed', () => {
  it('goes back into its queue, with its attempt not counted', async () => {
    const publisher = new FailingPublisher()
    const { events, settlement } = settlementWith(publisher)
    const execution = acked(new RecordingDelivery({ body: 'kept' }))
    await settlement.putBack(execution, { reason: 'File not found.', subject: 'App' })
    expect(publisher.tried).toMatchObject([
      {
        queue: 'commands',
        body: Buffer.from('kept'),
        headers: expect.arrayContaining([
          ['x-fpm-bridge-attempt', 1],
          ['x-fpm-bridge-reason', 'File not found.'],
        ]),
      },
    ])
    const copy = {
      purpose: 'put-back',
      execution,
      queue: 'commands',
      reason: 'File not found.',
      subject: 'App',
    } as const
    expect(events.all).toEqual([{ kind: 'put-back', copy }])
  })

  it('leaves off x-death, by which the broker would take it for a circle', async () => {
    const publisher = new FailingPublisher()
    const headers = { 'x-death': [{ count: 1 }], a: 1 }
    const { settlement } = settlementWith(publisher)
    await settlement.putBack(acked(new RecordingDelivery({ properties: { headers } })), {
      reason: 'no script',
    })
    expect(Object.fromEntries(publisher.tried[0]?.headers ?? [])).toMatchObject({ a: 1 })
    expect(Object.fromEntries(publisher.tried[0]?.headers ?? [])).not.toHaveProperty('x-death')
  })

  it('is settled no second time, and not given up for the end of its session', async () => {
    const publisher = new FailingPublisher(3)
    const { settlement } = settlementWith(publisher)
    const delivery = new RecordingDelivery()
    const execution = acked(delivery)
    delivery.live = false
    const end = settlement.putBack(execution, { reason: 'no script' })
    await vi.advanceTimersByTimeAsync(60_000)
    await end
    expect(publisher.tried).toHaveLength(4)
    expect(delivery.settled).toEqual(['ack'])
  })

  it('is lost when the daemon gives up first, which is told, and names it', async () => {
    const { events, stop, settlement } = settlementWith(new FailingPublisher(Number.POSITIVE_INFINITY))
    const execution = acked()
    const end = settlement.putBack(execution, { reason: 'no script' })
    await vi.advanceTimersByTimeAsync(60_000)
    stop.abort()
    await end
    expect(events.all.at(-1)).toMatchObject({
      kind: 'lost',
      why: 'not-put-back',
      copy: { execution, queue: 'commands', reason: 'no script' },
    })
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is lost as well when the broker takes the copy and never confirms it', async () => {
    const { events, stop, settlement } = settlementWith({ publish: () => new Promise(() => {}) })
    const end = settlement.putBack(acked(), { reason: 'no script' })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(events.all).toEqual([])
    stop.abort()
    await end
    expect(events.all).toMatchObject([{ kind: 'lost', why: 'not-put-back' }])
  })
})
