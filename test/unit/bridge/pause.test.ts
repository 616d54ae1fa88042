import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { answer, connectFailure, fileNotFound } from '../../support/answers.ts'
import { dispatcherOf } from './waiting-pool.ts'

/*
 * Operators want nothing to be executed: what is in flight ends, all else goes back, and nothing starts, whatever happens meanwhile.
 */

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Lets everything happen that waits for no timer. */
const settle = () => vi.advanceTimersByTimeAsync(0)

const QUEUE = { kind: 'queue', note: { by: 'ops@host', reason: 'a migration' } } as const
const DRAIN = { kind: 'drain' } as const

describe('a pause', () => {
  it('hands back what waits when nothing more comes, and lets what is in flight end', async () => {
    const { domain, pool, intake, deliver, events } = dispatcherOf({ ack: 'completed', concurrency: 1 })
    const [first, second] = [deliver(), deliver()]
    let stop = (): void => {}
    vi.spyOn(intake, 'pause').mockReturnValue(
      new Promise((resolve) => {
        stop = resolve
      }),
    )
    const paused = domain.pause.begin(QUEUE)
    // It would come back at once: the broker delivers yet.
    const late = deliver()
    expect([second.settled, late.settled]).toEqual([[], []])
    stop()
    await paused
    expect([first.settled, second.settled, late.settled]).toEqual([[], ['requeue'], ['requeue']])
    pool.requests[0]?.complete(answer(200))
    await settle()
    expect(first.settled).toEqual(['ack'])
    expect(pool.requests).toHaveLength(1)
    expect(events.kinds).toEqual(['pause-began', 'settled'])
  })

  it('starts nothing from the very moment it begins', async () => {
    const { domain, pool, deliver } = dispatcherOf()
    void domain.pause.begin(QUEUE)
    const delivery = deliver()
    await settle()
    expect([pool.requests.length, delivery.settled]).toEqual([0, ['requeue']])
  })

  it('is over when no cause is left', async () => {
    const { domain, pool, intake, deliver, events } = dispatcherOf()
    await domain.pause.begin(QUEUE)
    await domain.pause.begin(DRAIN)
    domain.pause.end('queue')
    expect([domain.pause.active, domain.pause.causes]).toEqual([true, [DRAIN]])
    domain.pause.end('queue')
    domain.pause.end('drain')
    deliver()
    await settle()
    expect(pool.requests).toHaveLength(1)
    expect(intake.asked.at(-1)).toBe('resume')
    expect(intake.asked.filter((asked) => asked === 'resume')).toHaveLength(1)
    expect(events.all.filter(({ kind }) => kind.startsWith('pause-'))).toEqual([
      { kind: 'pause-began', cause: QUEUE },
      { kind: 'pause-began', cause: DRAIN },
      { kind: 'pause-over', cause: 'queue', stillPaused: true },
      { kind: 'pause-over', cause: 'drain', stillPaused: false },
    ])
  })

  it('is told again only where its marker says something else', async () => {
    const { domain, events } = dispatcherOf()
    await domain.pause.begin(QUEUE)
    await domain.pause.begin({ kind: 'queue', note: { ...QUEUE.note } })
    await domain.pause.begin({ kind: 'queue', note: { by: 'somebody else' } })
    expect(events.kinds).toEqual(['pause-began', 'pause-changed'])
    expect(domain.pause.causes).toEqual([{ kind: 'queue', note: { by: 'somebody else' } }])
  })

  it('has what could not be executed go back at once', async () => {
    const { domain, pool, deliver } = dispatcherOf({ ack: 'completed' })
    const delivery = deliver()
    await settle()
    await domain.pause.begin(QUEUE)
    pool.requests[0]?.fail(connectFailure())
    await settle()
    expect(delivery.settled).toEqual(['requeue'])
  })
})

describe('a pause during a hold', () => {
  it('is not undone by the end of the hold', async () => {
    const { domain, pool, intake, deliver, events } = dispatcherOf({ ack: 'completed', concurrency: 1 })
    deliver()
    await settle()
    pool.away = true
    pool.requests[0]?.fail(connectFailure())
    await settle()
    await domain.pause.begin(QUEUE)
    pool.away = false
    await vi.advanceTimersByTimeAsync(2_000)
    expect(events.of('hold-over')).toHaveLength(1)
    expect([intake.asked, domain.pause.active]).toEqual([['pause'], true])
    deliver()
    await settle()
    expect(pool.requests).toHaveLength(1)
  })

  it('has no delivery probe, nor be asked for', async () => {
    const { domain, pool, intake, deliver } = dispatcherOf({ ack: 'completed', concurrency: 1 })
    deliver()
    await settle()
    pool.requests[0]?.complete(fileNotFound())
    await settle()
    // As long as the broker does not answer, deliveries wait here.
    vi.spyOn(intake, 'pause').mockReturnValue(new Promise(() => {}))
    void domain.pause.begin(QUEUE)
    deliver()
    await vi.advanceTimersByTimeAsync(60_000)
    expect([pool.requests.length, intake.asked]).toEqual([1, []])
    domain.pause.end('queue')
    await vi.advanceTimersByTimeAsync(2_000)
    expect(pool.requests).toHaveLength(2)
  })

  it('leaves what the hold has paused, when it ends first', async () => {
    const { domain, pool, intake, deliver, events } = dispatcherOf({
      ack: 'completed',
      concurrency: 1,
      consumerTimeout: 1_800_000,
    })
    deliver()
    await settle()
    pool.away = true
    pool.requests[0]?.fail(connectFailure())
    await vi.advanceTimersByTimeAsync(1_800_000)
    expect(events.of('intake-paused')).toHaveLength(1)
    await domain.pause.begin(DRAIN)
    domain.pause.end('drain')
    expect(intake.asked).toEqual(['pause', 'pause'])
    pool.away = false
    await vi.advanceTimersByTimeAsync(2_000)
    expect(intake.asked).toEqual(['pause', 'pause', 'resume'])
    expect(events.of('intake-resumed')).toHaveLength(1)
  })
})

it('a bridge that is paused drains, and hands back what comes', async () => {
  const { domain, pool, deliver } = dispatcherOf({ ack: 'completed' })
  const delivery = deliver()
  await settle()
  await domain.pause.begin(DRAIN)
  const drained = domain.drain()
  pool.requests[0]?.complete(answer(200))
  await drained
  expect(delivery.settled).toEqual(['ack'])
  domain.pause.end('drain')
  expect(deliver().settled).toEqual(['requeue'])
})

it('a message of which nobody knows yet whose fault it is counts as in flight', async () => {
  const { dispatcher, pool, deliver } = dispatcherOf({ ack: 'completed', requireMarker: true })
  deliver()
  await settle()
  pool.requests[0]?.complete(answer(500))
  await settle()
  expect(dispatcher.inFlight).toBe(1)
  await vi.advanceTimersByTimeAsync(2_000)
  expect(dispatcher.inFlight).toBe(0)
})
