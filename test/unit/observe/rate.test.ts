import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Rate } from '../../../src/observe/rate.ts'
import { EXECUTED, EXECUTION } from '../../support/views.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const seconds = (count: number) => vi.advanceTimersByTime(count * 1_000)

it('is that of the last ten seconds that are over', () => {
  const rate = new Rate()
  for (let n = 0; n < 50; n += 1) rate.hear(EXECUTED)
  expect(rate.perSecond).toBe(0)
  seconds(1)
  expect(rate.perSecond).toBe(5)
  seconds(9)
  rate.hear(EXECUTED)
  expect(rate.perSecond).toBe(5)
  seconds(1)
  expect(rate.perSecond).toBe(0.1)
  seconds(3_600)
  expect(rate.perSecond).toBe(0)
})

it('counts what comes to its end, and nothing on its way', () => {
  const rate = new Rate()
  rate.hear({ kind: 'lost', why: 'abandoned', execution: EXECUTION })
  rate.hear({ kind: 'held', execution: EXECUTION, reason: '', probing: false })
  rate.hear({ kind: 'hold-over', heldMs: 1 })
  seconds(1)
  expect(rate.perSecond).toBe(0.1)
})
