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

describe('closing', () => {
  it('ends the hold without a word and without a timer', async () => {
    const { events, pool, hold } = heldPool()
    hold.enter(obstacle('ENOENT'))
    hold.close()
    expect(hold.active).toBe(false)
    expect(vi.getTimerCount()).toBe(0)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(pool).toMatchObject({ probes: [], left: 0 })
    expect(events.kinds).toEqual(['hold-began'])
  })

  it.each([
    ['finds nothing', undefined],
    ['finds something', obstacle('EACCES')],
  ])('makes no difference to a probe on its way that %s', async (_, found) => {
    const events = recordingEvents()
    let answer: () => void = () => {}
    let left = 0
    const probe = (): Promise<Obstacle | undefined> =>
      new Promise((resolve) => {
        answer = () => resolve(found)
      })
    const hold = new Hold(events.tell, probe, new RecordingIntake())
    hold.open(() => {
      left += 1
    })
    hold.enter(obstacle('ENOENT'))
    await vi.advanceTimersByTimeAsync(100)
    hold.close()
    answer()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(left).toBe(0)
    expect(events.kinds).toEqual(['hold-began'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is allowed without a hold, and twice', () => {
    const { hold } = heldPool()
    hold.close()
    hold.close()
    expect(hold.active).toBe(false)
  })
})
