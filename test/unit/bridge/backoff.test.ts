import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { backoff, pause, unlessAborted } from '../../../src/bridge/backoff.ts'

describe('backoff', () => {
  const RANGE = { min: 100, max: 1_000 }

  afterEach(() => {
    vi.restoreAllMocks()
  })

  /** The delay before each attempt is repeated, at one end of the random part. */
  function delays(random: number, attempts: readonly number[]): number[] {
    vi.spyOn(Math, 'random').mockReturnValue(random)
    return attempts.map((attempt) => backoff(attempt, RANGE))
  }

  it('doubles up to its end', () => {
    expect(delays(1, [1, 2, 3, 4, 5, 6])).toEqual([100, 200, 400, 800, 1_000, 1_000])
  })

  it('takes off a random half at most', () => {
    expect(delays(0, [1, 2, 3, 4, 5, 6])).toEqual([50, 100, 200, 400, 500, 500])
  })

  it('stays at its end however often it is asked', () => {
    expect(delays(1, [31, 32, 1_000, 1e9, Number.MAX_SAFE_INTEGER])).toEqual(Array(5).fill(1_000))
  })

  it('differs between two daemons', () => {
    expect(new Set(Array.from({ length: 20 }, () => backoff(3, RANGE))).size).toBeGreaterThan(1)
  })
})

describe('pause', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  /** Whether a promise is settled by now. */
  async function isDone(promise: Promise<void>): Promise<boolean> {
    let done = false
    void promise.then(() => {
      done = true
    })
    await vi.advanceTimersByTimeAsync(0)
    return done
  }

  it('ends when its time is over', async () => {
    const paused = pause(1_000, new AbortController().signal)
    await vi.advanceTimersByTimeAsync(999)
    expect(await isDone(paused)).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(await isDone(paused)).toBe(true)
  })

  it('ends at once when aborted, and leaves no timer', async () => {
    const controller = new AbortController()
    const paused = pause(1_000, controller.signal)
    controller.abort()
    expect(await isDone(paused)).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('does not begin when aborted before', async () => {
    expect(await isDone(pause(1_000, AbortSignal.abort()))).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('leaves no listener behind: a daemon pauses for years on one signal', async () => {
    const { signal } = new AbortController()
    const remove = vi.spyOn(signal, 'removeEventListener')
    const add = vi.spyOn(signal, 'addEventListener')
    void pause(10, signal)
    await vi.advanceTimersByTimeAsync(10)
    expect(remove.mock.calls.map(([, listener]) => listener)).toEqual(
      add.mock.calls.map(([, listener]) => listener),
    )
  })
})

describe('unless aborted', () => {
  it('a promise settles as it would', async () => {
    const { signal } = new AbortController()
    await expect(unlessAborted(Promise.resolve(7), signal)).resolves.toBe(7)
    await expect(unlessAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no')
  })

  it('it waits no longer than until the abort, and minds no failure after that', async () => {
    const stop = new AbortController()
    let fail: (error: Error) => void = () => {}
    const pending = new Promise<never>((_, reject) => {
      fail = reject
    })
    const waiting = unlessAborted(pending, stop.signal)
    stop.abort(new Error('given up'))
    await expect(waiting).rejects.toThrow('given up')
    await expect(unlessAborted(new Promise(() => {}), stop.signal)).rejects.toThrow('given up')
    fail(new Error('too late'))
    await expect(pending).rejects.toThrow('too late')
  })

  it('it leaves no listener behind', async () => {
    const { signal } = new AbortController()
    const remove = vi.spyOn(signal, 'removeEventListener')
    const add = vi.spyOn(signal, 'addEventListener')
    await unlessAborted(Promise.resolve(), signal)
    expect(remove.mock.calls).toEqual(add.mock.calls)
    expect(add).toHaveBeenCalledTimes(1)
  })
})
