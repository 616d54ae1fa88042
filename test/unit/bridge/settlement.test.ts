import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { FinalOutcome } from '../../../src/bridge/outcome.ts'
import type { BridgePolicy, Publisher } from '../../../src/bridge/ports.ts'
import { FailingPublisher, RecordingDelivery } from './recording.ts'
import { ENDED, LOGGED, settlementWith } from './settling.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const DIAGNOSIS = { reason: 'a reason', status: 503, stderr: 'busy' }
const retry = (retryAfterMs = 0): FinalOutcome => ({ kind: 'retry', retryAfterMs, ...DIAGNOSIS })
const deadLetter: FinalOutcome = { kind: 'dead-letter', ...DIAGNOSIS }

function settling(
  outcome: FinalOutcome,
  given: Partial<BridgePolicy> = {},
  delivery = new RecordingDelivery({ body: 'body' }),
  publisher: Publisher = new FailingPublisher(),
  acked = false,
) {
  const { log, settlement } = settlementWith(publisher, given)
  return { delivery, log, end: settlement.settle(delivery, outcome, ENDED, acked) }
}

describe('what needs no copy', () => {
  it.each<[FinalOutcome, string, string]>([
    [{ kind: 'executed', status: 204 }, 'info', 'Executed.'],
    [{ kind: 'refused', ...DIAGNOSIS }, 'warn', 'The worker answered, and not with success.'],
    [
      { kind: 'lost', ...DIAGNOSIS },
      'error',
      'Acked, and no complete answer: nobody knows whether it was executed.',
    ],
  ])('is acked, and logged with its ids: $kind', async (outcome, level, message) => {
    const publisher = new FailingPublisher()
    const { delivery, log, end } = settling(outcome, {}, undefined, publisher)
    await end
    expect(publisher.tried).toEqual([])
    expect(delivery.settled).toEqual(['ack'])
    const { kind, ...said } = outcome
    expect(log.lines).toEqual([{ level, message, fields: { ...LOGGED, outcome: kind, ...said } }])
  })

  it('is told as it is when its session has ended before the ack', async () => {
    const gone = new RecordingDelivery({ live: false })
    const { log, end } = settling({ kind: 'executed', status: 200 }, {}, gone)
    await end
    expect(gone.settled).toEqual([])
    expect(log.lines).toMatchObject([
      { level: 'warn', message: 'Executed, but its session has ended: the broker delivers it again.' },
    ])
  })

  it('was acked before, with dispatched, so a session that ends since does not matter', async () => {
    const { log, end } = settling(
      { kind: 'executed', status: 200 },
      { ack: 'dispatched' },
      new RecordingDelivery({ live: false }),
      undefined,
      true,
    )
    await end
    expect(log.lines).toMatchObject([{ level: 'info', message: 'Executed.' }])
  })

  it.each<[FinalOutcome, string]>([
    [{ kind: 'executed', status: 200 }, 'Executed, but its session has ended: the broker delivers it again.'],
    [{ kind: 'refused', ...DIAGNOSIS }, 'Not settled: the broker delivers it again.'],
    [{ kind: 'lost', ...DIAGNOSIS }, 'Not settled: the broker delivers it again.'],
  ])('was not acked, with dispatched, when its session had ended before: $kind', async (outcome, message) => {
    const gone = new RecordingDelivery({ live: false })
    const { log, end } = settling(outcome, { ack: 'dispatched' }, gone)
    await end
    const { kind, ...said } = outcome
    expect(log.lines).toEqual([{ level: 'warn', message, fields: { ...LOGGED, outcome: kind, ...said } }])
  })
})

describe('a retry', () => {
  it('is a copy in the queue of its delay, with what has happened', async () => {
    const publisher = new FailingPublisher()
    const { delivery, log, end } = settling(retry(), {}, undefined, publisher)
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
    expect(log.lines).toEqual([
      {
        level: 'warn',
        message: 'To be executed again.',
        fields: { ...LOGGED, ...DIAGNOSIS, outcome: 'retry', delayMs: 2_000 },
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
    const { delivery, log, end } = settling(deadLetter, {}, undefined, publisher)
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
    expect(log.lines).toEqual([
      {
        level: 'warn',
        message: 'Dead-lettered.',
        fields: { ...LOGGED, ...DIAGNOSIS, outcome: 'dead-letter', deadLetterQueue: 'commands.dead' },
      },
    ])
  })

  it('is logged with the beginning of a long stderr, and without an empty one', async () => {
    const stderrOf = async (stderr: string) => {
      const { log, end } = settling({ ...deadLetter, stderr })
      await end
      return log.lines[0]?.fields['stderr']
    }
    expect(await stderrOf('x'.repeat(3_000))).toBe('x'.repeat(2_048))
    expect(await stderrOf('')).toBeUndefined()
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
})
