import { describe, expect, it } from 'vitest'
import { burntAttempts } from '../../chaos/attempts.ts'
import type { JournalLine } from '../../chaos/journal.ts'

/** The starts of one message, each with the number that it had; a second apart. */
const starts = (...attempts: readonly number[]): JournalLine[] =>
  attempts.map((attempt, n) => {
    const who = { id: 'M-1', executionId: `e-${n}`, daemonId: 'D', pid: 1 }
    return { event: 'start', ...who, attempt, time: n * 1_000 }
  })

describe('burnt attempts', () => {
  it.each([
    { attempts: [1], burnt: 0 },
    { attempts: [1, 2, 3], burnt: 0 },
    { attempts: [1, 1, 2], burnt: 0 }, // the first was repeated, and not counted
    { attempts: [2], burnt: 1 },
    { attempts: [1, 3], burnt: 1 },
    { attempts: [2, 3, 5], burnt: 2 },
  ])('of executions numbered $attempts are $burnt', ({ attempts, burnt }) => {
    const found = burntAttempts(starts(...attempts))
    expect(found.reduce((sum, one) => sum + one.attempts, 0)).toBe(burnt)
  })

  it('were counted between the execution before and the one that shows them', () => {
    expect(burntAttempts(starts(1, 2, 5))).toEqual([{ id: 'M-1', attempts: 2, from: 1_000, to: 2_000 }])
    expect(burntAttempts(starts(2))).toEqual([{ id: 'M-1', attempts: 1, from: undefined, to: 0 }])
  })
})
