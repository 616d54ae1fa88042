import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Hold } from '../../../src/bridge/hold.ts'
import { heldPool, obstacle } from './held-pool.ts'
import { recordingLog } from './recording.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const ENTERED = 'Holding: nothing can be executed. Messages are kept and wait.'
const LEFT = 'The hold is over; dispatching.'

describe('a hold', () => {
  it('is not there at first, and asks nobody', async () => {
    const { log, pool, hold } = heldPool()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(hold.active).toBe(false)
    expect(pool.probes).toHaveLength(0)
    expect(log.lines).toEqual([])
  })

  it('lasts an hour with one line when it begins and one when it ends', async () => {
    const { log, pool, hold } = heldPool()
    hold.enter(obstacle('ENOENT'))
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(hold.active).toBe(true)
    expect(pool.left).toBe(0)
    pool.obstacle = undefined
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
    hold.enter(obstacle('ENOENT'))
    hold.enter(obstacle('ENOENT'))
    hold.enter(obstacle('ECONNREFUSED'))
    expect(log.lines).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(1)
  })

  it('says when the reason changes, once', async () => {
    const { log, pool, hold } = heldPool()
    hold.enter(obstacle('ENOENT'))
    await vi.advanceTimersByTimeAsync(10_000)
    pool.obstacle = obstacle('EACCES')
    await vi.advanceTimersByTimeAsync(10_000)
    expect(log.lines.map(({ message, fields }) => [message, fields['reason']])).toEqual([
      [ENTERED, 'ENOENT'],
      ['Still holding, for another reason.', 'EACCES'],
    ])
  })

  it('probes first after 50 to 100 ms, later every 500 ms to 1 s', async () => {
    const { pool, hold } = heldPool()
    hold.enter(obstacle('ENOENT'))
    await vi.advanceTimersByTimeAsync(49)
    expect(pool.probes).toHaveLength(0)
    await vi.advanceTimersByTimeAsync(51)
    expect(pool.probes).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(10_000)
    const before = pool.probes.length
    await vi.advanceTimersByTimeAsync(100_000)
    expect(pool.probes.length - before).toBeGreaterThanOrEqual(99)
    expect(pool.probes.length - before).toBeLessThanOrEqual(201)
  })

  it('looks again as the last obstacle asks for, a delivery or a connect', async () => {
    const { pool, hold } = heldPool()
    pool.obstacle = obstacle('File not found.', 'delivery')
    hold.enter(obstacle('ENOENT'))
    await vi.advanceTimersByTimeAsync(100)
    expect(pool.probes).toEqual([obstacle('ENOENT')])
    pool.obstacle = obstacle('ECONNREFUSED')
    await vi.advanceTimersByTimeAsync(200)
    expect(pool.probes.slice(1)).toEqual([obstacle('File not found.', 'delivery')])
    await vi.advanceTimersByTimeAsync(400)
    expect(pool.probes.slice(2)).toEqual([obstacle('ECONNREFUSED')])
  })

  it('says nothing when the same obstacle is looked for in another way', async () => {
    const { log, pool, hold } = heldPool()
    hold.enter(obstacle('ENOENT', 'delivery'))
    await vi.advanceTimersByTimeAsync(10_000)
    expect(pool.probes.at(-1)).toEqual(obstacle('ENOENT', 'connect'))
    expect(log.lines).toHaveLength(1)
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
    hold.enter(obstacle('ETIMEDOUT'))
    await vi.advanceTimersByTimeAsync(600_000)
    expect(pending).toBe(1)
  })

  it('can be entered again', async () => {
    const { log, pool, hold } = heldPool()
    hold.enter(obstacle('ENOENT'))
    pool.obstacle = undefined
    await vi.advanceTimersByTimeAsync(1_000)
    pool.obstacle = obstacle('ECONNREFUSED')
    hold.enter(obstacle('ECONNREFUSED'))
    expect(hold.active).toBe(true)
    pool.obstacle = undefined
    await vi.advanceTimersByTimeAsync(1_000)
    expect(pool.left).toBe(2)
    expect(log.lines.map(({ message }) => message)).toEqual([ENTERED, LEFT, ENTERED, LEFT])
  })

  it('may be entered anew by what its end sets free', async () => {
    const log = recordingLog()
    let tries = 0
    const hold: Hold = new Hold(
      log,
      async () => undefined,
      () => {
        tries += 1
        if (tries === 1) hold.enter(obstacle('ECONNREFUSED'))
      },
    )
    hold.enter(obstacle('ENOENT'))
    await vi.advanceTimersByTimeAsync(10_000)
    expect(tries).toBe(2)
    expect(hold.active).toBe(false)
  })
})
