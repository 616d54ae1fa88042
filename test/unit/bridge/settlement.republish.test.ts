import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FailingPublisher, RecordingDelivery } from './recording.ts'
import { ENDED, LOGGED, settlementWith } from './settling.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a message that was acked and not executed', () => {
  it('goes back into its queue, with its attempt not counted', async () => {
    const publisher = new FailingPublisher()
    const { log, settlement } = settlementWith(publisher)
    await settlement.republish(
      new RecordingDelivery({ body: 'kept' }),
      { reason: 'File not found.', subject: 'App' },
      ENDED,
    )
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
    expect(log.lines).toMatchObject([
      {
        level: 'warn',
        message: 'Not executed, though acked: put back into its queue.',
        fields: { messageId: 'm-1', executionId: 'e-1', subject: 'App', queue: 'commands' },
      },
    ])
  })

  it('leaves off x-death, by which the broker would take it for a circle', async () => {
    const publisher = new FailingPublisher()
    const headers = { 'x-death': [{ count: 1 }], a: 1 }
    const { settlement } = settlementWith(publisher)
    await settlement.republish(
      new RecordingDelivery({ properties: { headers } }),
      { reason: 'no script' },
      ENDED,
    )
    expect(Object.fromEntries(publisher.tried[0]?.headers ?? [])).toMatchObject({ a: 1 })
    expect(Object.fromEntries(publisher.tried[0]?.headers ?? [])).not.toHaveProperty('x-death')
  })

  it('is settled no second time, and not given up for the end of its session', async () => {
    const publisher = new FailingPublisher(3)
    const { settlement } = settlementWith(publisher)
    const delivery = new RecordingDelivery({ live: false })
    const end = settlement.republish(delivery, { reason: 'no script' }, ENDED)
    await vi.advanceTimersByTimeAsync(60_000)
    await end
    expect(publisher.tried).toHaveLength(4)
    expect(delivery.settled).toEqual([])
  })

  it('is lost when the daemon gives up first, which is an error that names it', async () => {
    const { log, stop, settlement } = settlementWith(new FailingPublisher(Number.POSITIVE_INFINITY))
    const end = settlement.republish(new RecordingDelivery(), { reason: 'no script' }, ENDED)
    await vi.advanceTimersByTimeAsync(60_000)
    stop.abort()
    await end
    expect(log.lines.at(-1)).toEqual({
      level: 'error',
      message: 'Not executed, though acked, and not put back in time: lost.',
      fields: { ...LOGGED, durationMs: undefined, queue: 'commands', reason: 'no script', outcome: 'lost' },
    })
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is lost as well when the broker takes the copy and never confirms it', async () => {
    const { log, stop, settlement } = settlementWith({ publish: () => new Promise(() => {}) })
    const end = settlement.republish(new RecordingDelivery(), { reason: 'no script' }, ENDED)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(log.lines).toEqual([])
    stop.abort()
    await end
    expect(log.lines.at(-1)).toMatchObject({ level: 'error', fields: { messageId: 'm-1', outcome: 'lost' } })
  })
})
