import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Hold, type Obstacle } from '../../../src/bridge/gates/hold.ts'
import { RecordingIntake, recordingEvents } from '../../support/recording.ts'
import { heldPool, obstacle } from './held-pool.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a hold', () => {
  it('is not there at first, and asks nobody', async () => {
    const { events, pool, hold } = heldPool()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(hold.active).toBe(false)
    expect(pool.probes).toHaveLength(0)
    expect(events.all).toEqual([])
  })

  it('lasts an hour with one event when it begins and one when it ends', async () => {
    const { events, pool, hold } = heldPool()
    hold.enter(obstacle('ENOENT'))
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(hold.active).toBe(true)
    expect(pool.left).toBe(0)
    pool.obstacle = undefined
    await vi.advanceTimersByTimeAsync(1_000)
    expect(hold.active).toBe(false)
    expect(pool.left).toBe(1)
    expect(events.all).toEqual([
      { kind: 'hold-began', reason: 'ENOENT', met: undefined, lasting: false },
      { kind: 'hold-over', heldMs: expect.any(Number) },
    ])
    expect(events.of('hold-over')[0]?.heldMs).toBeGreaterThanOrEqual(3_600_000)
  })

  it('is entered once, however many requests find the pool away', () => {
    const { events, hold } = heldPool()
    hold.enter(obstacle('ENOENT'))
    hold.enter(obstacle('ENOENT'))
    hold.enter(obstacle('ECONNREFUSED'))
    expect(events.kinds).toEqual(['hold-began'])
    expect(vi.getTimerCount()).toBe(1)
  })

  it('says when the reason changes, once', async () => {
    const { events, pool, hold } = heldPool()
    hold.enter(obstacle('ENOENT'))
    await vi.advanceTimersByTimeAsync(10_000)
    pool.obstacle = obstacle('EACCES')
    await vi.advanceTimersByTimeAsync(10_000)
    expect(events.all).toMatchObject([
      { kind: 'hold-began', reason: 'ENOENT' },
      { kind: 'hold-changed', reason: 'EACCES' },
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

  /** A hold whose probes find these, one after the other, and nothing after that. */
  function finding(...found: (Obstacle | undefined)[]) {
    const events = recordingEvents()
    const probes: Obstacle[] = []
    const probe = async (obstacle: Obstacle): Promise<Obstacle | undefined> => {
      probes.push(obstacle)
      return found.shift()
    }
    return { events, probes, hold: new Hold(events.tell, probe, new RecordingIntake()) }
  }
  const away = obstacle('ENOENT')
  const broken = obstacle('File not found.', 'delivery')

  it('probes for what its last probe has found, by a delivery or a connect', async () => {
    const { probes, hold } = finding(broken, broken, undefined)
    hold.enter(away)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(probes).toEqual([away, broken, broken])
    expect(hold.active).toBe(false)
  })

  it('remembers what else was met meanwhile: that the pool is back says nothing of its application', async () => {
    const { events, probes, hold } = finding(away, undefined, broken, undefined)
    hold.enter(away)
    hold.enter(broken)
    expect(hold.obstacle).toBe(away)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(probes).toEqual([away, away, broken, broken])
    expect(events.all).toMatchObject([
      { kind: 'hold-began', reason: 'ENOENT' },
      { kind: 'hold-changed', reason: 'File not found.' },
      { kind: 'hold-over' },
    ])
  })

  it('remembers it also where the pool goes away later, and probes for that first', async () => {
    const { events, probes, hold } = finding(away, undefined, undefined)
    hold.enter(broken)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(probes).toEqual([broken, away, broken])
    expect(events.kinds).toEqual(['hold-began', 'hold-changed', 'hold-changed', 'hold-over'])
  })

  it('says nothing when the same obstacle is looked for in another way', async () => {
    const { events, pool, hold } = heldPool()
    hold.enter(obstacle('ENOENT', 'delivery'))
    await vi.advanceTimersByTimeAsync(10_000)
    expect(pool.probes.at(-1)).toEqual(obstacle('ENOENT', 'connect'))
    expect(events.kinds).toEqual(['hold-began'])
  })

  it('has one probe on its way at most', async () => {
    let pending = 0
    const probe = (): Promise<undefined> => {
      pending += 1
      return new Promise(() => {})
    }
    const hold = new Hold(() => {}, probe, new RecordingIntake())
    hold.enter(obstacle('ETIMEDOUT'))
    await vi.advanceTimersByTimeAsync(600_000)
    expect(pending).toBe(1)
  })

  it('can be entered again', async () => {
    const { events, pool, hold } = heldPool()
    hold.enter(obstacle('ENOENT'))
    pool.obstacle = undefined
    await vi.advanceTimersByTimeAsync(1_000)
    pool.obstacle = obstacle('ECONNREFUSED')
    hold.enter(obstacle('ECONNREFUSED'))
    expect(hold.active).toBe(true)
    pool.obstacle = undefined
    await vi.advanceTimersByTimeAsync(1_000)
    expect(pool.left).toBe(2)
    expect(events.kinds).toEqual(['hold-began', 'hold-over', 'hold-began', 'hold-over'])
  })

  it('may be entered anew by what its end sets free', async () => {
    let tries = 0
    const hold = new Hold(recordingEvents().tell, async () => undefined, new RecordingIntake())
    hold.open(() => {
      tries += 1
      if (tries === 1) hold.enter(obstacle('ECONNREFUSED'))
    })
    hold.enter(obstacle('ENOENT'))
    await vi.advanceTimersByTimeAsync(10_000)
    expect(tries).toBe(2)
    expect(hold.active).toBe(false)
  })
})
