import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Hold } from '../../../src/bridge/hold.ts'
import { recordingLog } from './recording.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A hold on a pool that is away until `pool.reason` is undefined. */
function heldPool() {
  const log = recordingLog()
  const pool = { reason: 'ENOENT' as string | undefined, probes: 0, left: 0 }
  const probe = async (): Promise<void> => {
    pool.probes += 1
    if (pool.reason !== undefined) throw new Error(pool.reason)
  }
  const hold = new Hold(log, probe, () => {
    pool.left += 1
  })
  return { log, pool, hold }
}

const ENTERED = 'Holding: the pool cannot be reached. Messages are kept and wait; none is lost.'
const LEFT = 'The pool can be reached again; dispatching.'

describe('a hold', () => {
  it('is not there at first, and asks nobody', async () => {
    const { log, pool, hold } = heldPool()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(hold.active).toBe(false)
    expect(pool.probes).toBe(0)
    expect(log.lines).toEqual([])
  })

  it('lasts an hour with one line when it begins and one when it ends', async () => {
    const { log, pool, hold } = heldPool()
    hold.enter('ENOENT')
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(hold.active).toBe(true)
    expect(pool.left).toBe(0)
    pool.reason = undefined
    await vi.advanceTimersByTimeAsync(1_000)
    expect(hold.active).toBe(false)
    expect(pool.left).toBe(1)
    expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
      ['warn', ENTERED],
      ['info', LEFT],
    ])
    expect(log.lines[0]?.fields).toEqual({ reason: 'ENOENT' })
    expect(log.lines[1]?.fields['heldMs']).toBeGreaterThanOrEqual(3_600_000)
  })

  it('is entered once, however many requests find the pool away', () => {
    const { log, hold } = heldPool()
    hold.enter('ENOENT')
    hold.enter('ENOENT')
    hold.enter('ECONNREFUSED')
    expect(log.lines).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(1)
  })

  it('says when the reason changes, once', async () => {
    const { log, pool, hold } = heldPool()
    hold.enter('ENOENT')
    await vi.advanceTimersByTimeAsync(10_000)
    pool.reason = 'EACCES'
    await vi.advanceTimersByTimeAsync(10_000)
    expect(log.lines.map(({ message, fields }) => [message, fields['reason']])).toEqual([
      [ENTERED, 'ENOENT'],
      ['Still holding, for another reason.', 'EACCES'],
    ])
  })

  it('probes first after 50 to 100 ms, later every 500 ms to 1 s', async () => {
    const { pool, hold } = heldPool()
    hold.enter('ENOENT')
    await vi.advanceTimersByTimeAsync(49)
    expect(pool.probes).toBe(0)
    await vi.advanceTimersByTimeAsync(51)
    expect(pool.probes).toBe(1)
    await vi.advanceTimersByTimeAsync(10_000)
    const before = pool.probes
    await vi.advanceTimersByTimeAsync(100_000)
    expect(pool.probes - before).toBeGreaterThanOrEqual(99)
    expect(pool.probes - before).toBeLessThanOrEqual(201)
  })

  it('has one probe on its way at most', async () => {
    let pending = 0
    const hold = new Hold(
      recordingLog(),
      () => {
        pending += 1
        return new Promise(() => {})
      },
      () => {},
    )
    hold.enter('ETIMEDOUT')
    await vi.advanceTimersByTimeAsync(600_000)
    expect(pending).toBe(1)
  })

  it('can be entered again', async () => {
    const { log, pool, hold } = heldPool()
    hold.enter('ENOENT')
    pool.reason = undefined
    await vi.advanceTimersByTimeAsync(1_000)
    pool.reason = 'ECONNREFUSED'
    hold.enter('ECONNREFUSED')
    expect(hold.active).toBe(true)
    pool.reason = undefined
    await vi.advanceTimersByTimeAsync(1_000)
    expect(pool.left).toBe(2)
    expect(log.lines.map(({ message }) => message)).toEqual([ENTERED, LEFT, ENTERED, LEFT])
  })

  it('may be entered anew by what its end sets free', async () => {
    const log = recordingLog()
    let tries = 0
    const hold: Hold = new Hold(
      log,
      async () => {},
      () => {
        tries += 1
        if (tries === 1) hold.enter('ECONNREFUSED')
      },
    )
    hold.enter('ENOENT')
    await vi.advanceTimersByTimeAsync(10_000)
    expect(tries).toBe(2)
    expect(hold.active).toBe(false)
  })
})

describe('closing', () => {
  it('ends the hold without a word and without a timer', async () => {
    const { log, pool, hold } = heldPool()
    hold.enter('ENOENT')
    hold.close()
    expect(hold.active).toBe(false)
    expect(vi.getTimerCount()).toBe(0)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(pool).toMatchObject({ probes: 0, left: 0 })
    expect(log.lines).toHaveLength(1)
  })

  it.each([
    ['succeeds', undefined],
    ['fails', 'EACCES'],
  ])('makes no difference to a probe on its way that %s', async (_, reason) => {
    const log = recordingLog()
    let answer: () => void = () => {}
    let left = 0
    const probe = (): Promise<void> =>
      new Promise((resolve, reject) => {
        answer = () => (reason === undefined ? resolve() : reject(new Error(reason)))
      })
    const hold = new Hold(log, probe, () => {
      left += 1
    })
    hold.enter('ENOENT')
    await vi.advanceTimersByTimeAsync(100)
    hold.close()
    answer()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(left).toBe(0)
    expect(log.lines).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is allowed without a hold, and twice', () => {
    const { hold } = heldPool()
    hold.close()
    hold.close()
    expect(hold.active).toBe(false)
  })
})
