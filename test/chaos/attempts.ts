import type { JournalLine } from './journal.ts'

/** An execution whose number is higher than the executions before it account for. */
export interface Burnt {
  readonly id: string
  /** Attempts that were counted and never ran. */
  readonly attempts: number
  /** Milliseconds since the epoch: between these two they were counted. Undefined: since it was published. */
  readonly from: number | undefined
  readonly to: number
}

/**
 * The attempts that were counted though nothing ran. An execution that began is one, whatever ended it; so is one that
 * comes a second time with the number that it had. Pure.
 */
export function burntAttempts(journal: readonly JournalLine[]): Burnt[] {
  const known = new Map<string, { starts: number; burnt: number; last: number | undefined }>()
  const found: Burnt[] = []
  for (const { event, id, attempt, time } of journal) {
    if (event !== 'start') continue
    const before = known.get(id) ?? { starts: 0, burnt: 0, last: undefined }
    const attempts = attempt - 1 - before.starts - before.burnt
    if (attempts > 0) found.push({ id, attempts, from: before.last, to: time })
    known.set(id, { starts: before.starts + 1, burnt: before.burnt + Math.max(0, attempts), last: time })
  }
  return found
}
