import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { FinalOutcome } from '../../../src/bridge/outcome.ts'
import type { BridgePolicy, Publisher } from '../../../src/bridge/ports.ts'
import { FailingPublisher, RecordingDelivery } from '../../support/recording.ts'
import { finished, settlementWith } from '../../support/settling.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const DIAGNOSIS = { reason: 'a reason', status: 503, stderr: 'busy' }
const retry = (retryAfterMs = 0): FinalOutcome => ({ kind: 'retry', retryAfterMs, ...DIAGNOSIS })
const deadLetter: FinalOutcome = { kind: 'dead-letter', cause: 'rejected', ...DIAGNOSIS }

function settling(
  outcome: FinalOutcome,
  given: Partial<BridgePolicy> = {},
  delivery = new RecordingDelivery({ body: 'body' }),
  publisher: Publisher = new FailingPublisher(),
) {
  const { events, settlement } = settlementWith(publisher, given)
  const execution = finished(delivery)
  return { delivery, events, execution, end: settlement.settle(execution, outcome) }
}

describe('what needs no copy', () => {
  it.each<FinalOutcome>([
    { kind: 'executed', status: 204 },
    { kind: 'refused', ...DIAGNOSIS },
  ])('is acked, and told: $kind', async (outcome) => {
    const publisher = new FailingPublisher()
    const { delivery, events, execution, end } = settling(outcome, {}, undefined, publisher)
    await end
    expect(publisher.tried).toEqual([])
    expect(delivery.settled).toEqual(['ack'])
    expect(events.all).toEqual([{ kind: 'settled', by: 'ack', execution, outcome }])
  })

  it('is acked, and told as lost, where nobody knows whether it was executed', async () => {
    const outcome: FinalOutcome = { kind: 'lost', ...DIAGNOSIS }
    const { delivery, events, execution, end } = settling(outcome)
    await end
    expect(delivery.settled).toEqual(['ack'])
    expect(events.all).toEqual([{ kind: 'lost', why: 'no-answer', execution, diagnosis: outcome }])
  })

  it('was acked before, with dispatched, so a session that ends since does not matter', () => {
    const { events, settlement } = settlementWith(new FailingPublisher(), { ack: 'dispatched' })
    const delivery = new RecordingDelivery()
    const execution = finished(delivery)
    execution.ack()
    delivery.live = false
    void settlement.settle(execution, { kind: 'executed', status: 200 })
    expect(events.kinds).toEqual(['settled'])
    expect(delivery.settled).toEqual(['ack'])
  })

  it.each<[FinalOutcome, BridgePolicy['ack']]>([
    [{ kind: 'executed', status: 200 }, 'completed'],
    [{ kind: 'executed', status: 200 }, 'dispatched'],
    [{ kind: 'refused', ...DIAGNOSIS }, 'dispatched'],
    [{ kind: 'lost', ...DIAGNOSIS }, 'dispatched'],
  ])('is not settled when its session has ended before the ack: $0.kind, $1', async (outcome, ack) => {
    const gone = new RecordingDelivery({ live: false })
    const { events, execution, end } = settling(outcome, { ack }, gone)
    await end
    expect(gone.settled).toEqual([])
    expect(events.all).toEqual([{ kind: 'unsettled', execution, outcome, copy: undefined }])
  })
})

describe('a retry', () => {
  it('is a copy in the queue of its delay, with what has happened', async () => {
    const publisher = new FailingPublisher()
    const { delivery, events, execution, end } = settling(retry(), {}, undefined, publisher)
    await end
    expect(publisher.tried).toEqual([
      {
        queue: 'commands.retry.2000',
        body: Buffer.from('body'),
        properties: { deliveryMode: 2 },
        headers: expect.arrayContaining([
          ['x-fpm-bridge-attempt', 2],
          ['x-fpm-bridge-reason', 'a reason'],
          ['x-fpm-bridge-status', 503],
          ['x-fpm-bridge-stderr', 'busy'],
          ['x-fpm-bridge-duration-ms', 30],
        ]),
      },
    ])
    expect(delivery.settled).toEqual(['ack'])
    expect(events.all).toMatchObject([
      {
        kind: 'settled',
        by: 'copy',
        execution,
        outcome: { kind: 'retry', ...DIAGNOSIS },
        copy: { delayMs: 2_000 },
        copyTo: 'commands.retry.2000',
        acked: true,
        parked: undefined,
      },
    ])
  })

  it.each([
    [0, 2_000],
    [3_000, 4_000],
    [Number.POSITIVE_INFINITY, 600_000],
  ])('rests for longer where the worker asks for %d ms', async (retryAfterMs, delay) => {
    const publisher = new FailingPublisher()
    await settling(retry(retryAfterMs), {}, undefined, publisher).end
    expect(publisher.tried[0]?.queue).toBe(`commands.retry.${delay}`)
  })

  it('leaves off x-death, by which the broker would take it for a circle', async () => {
    const delivery = () => new RecordingDelivery({ properties: { headers: { 'x-death': [{ count: 1 }] } } })
    const publisher = new FailingPublisher()
    await settling(retry(), {}, delivery(), publisher).end
    await settling(deadLetter, {}, delivery(), publisher).end
    const [again, dead] = publisher.tried.map(({ headers }) => headers.map(([name]) => name))
    expect(again).not.toContain('x-death')
    expect(dead).toContain('x-death')
  })
})

describe('a dead letter', () => {
  it('is a copy in the dead-letter queue, with what has happened', async () => {
    const publisher = new FailingPublisher()
    const { delivery, events, end } = settling(deadLetter, {}, undefined, publisher)
    await end
    expect(publisher.tried).toMatchObject([
      {
        queue: 'commands.dead',
        body: Buffer.from('body'),
        properties: { deliveryMode: 2 },
        headers: expect.arrayContaining([['x-fpm-bridge-attempt', 2]]),
      },
    ])
    expect(delivery.settled).toEqual(['ack'])
    expect(events.all).toMatchObject([
      { kind: 'settled', by: 'copy', outcome: deadLetter, copyTo: 'commands.dead', acked: true },
    ])
  })
})

describe.each([
  ['a retry', retry()],
  ['a dead letter', deadLetter],
])('the order of %s', (_, outcome) => {
  it('is copy, confirm, ack', async () => {
    let confirm: () => void = () => {}
    const publisher: Publisher = {
      publish: () =>
        new Promise((resolve) => {
          confirm = resolve
        }),
    }
    const { delivery, end } = settling(outcome, {}, undefined, publisher)
    await vi.advanceTimersByTimeAsync(600_000)
    expect(delivery.settled).toEqual([])
    confirm()
    await end
    await vi.advanceTimersByTimeAsync(0)
    expect(delivery.settled).toEqual(['ack'])
  })

  it('counts with the copy, and the ack that comes too late is told', async () => {
    let confirm: () => void = () => {}
    const publisher: Publisher = {
      publish: () =>
        new Promise((resolve) => {
          confirm = resolve
        }),
    }
    const { delivery, events, end } = settling(outcome, {}, undefined, publisher)
    expect(events.all).toEqual([])
    delivery.live = false
    confirm()
    await end
    expect(delivery.settled).toEqual([])
    expect(events.all).toMatchObject([{ kind: 'settled', by: 'copy', outcome, acked: false }])
  })
})
