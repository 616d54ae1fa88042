import type { SessionEnd } from '../bridge/events.ts'
import type { DeadLetterCause } from '../bridge/outcome.ts'
import type { Counts } from './counters.ts'

/** How many values there were, by buckets, and their sum. */
export interface Spread {
  /** By bucket, and then those that are larger than the last. */
  readonly counts: readonly number[]
  readonly sum: number
}

/**
 * All that has been counted of a queue. Plain data, and numbers only: it can be sent, and that of several processes added up.
 */
export interface Totals {
  readonly counts: Counts
  readonly executionSeconds: Spread
  readonly ageSeconds: Spread
  readonly sessions: Readonly<Record<SessionEnd, number>>
  readonly deadLetters: Readonly<Record<DeadLetterCause, number>>
  /** By `<code> <phase>`: those that there were, of a closed set. */
  readonly fastCgiErrors: Readonly<Record<string, number>>
}

/** Of each queue. */
export type TotalsByQueue = Readonly<Record<string, Totals>>

type Summable = number | readonly Summable[] | { readonly [key: string]: Summable }

/** The sum of plain data of one form, number by number; what only one of the two has is as it is. Changes neither. */
export function addUp<T>(one: T, other: T): T {
  return sumOf(one as Summable, other as Summable) as T
}

function sumOf(one: Summable, other: Summable): Summable {
  if (typeof one === 'number' || typeof other === 'number') return Number(one) + Number(other)
  if (Array.isArray(one) && Array.isArray(other))
    return one.map((value, index) => sumOf(value, other[index] ?? 0))
  const sum: Record<string, Summable> = { ...(one as Record<string, Summable>) }
  for (const [key, value] of Object.entries(other as Record<string, Summable>)) {
    const before = Object.hasOwn(sum, key) ? sum[key] : undefined
    // A queue may have any name.
    Object.defineProperty(sum, key, {
      value: before === undefined ? value : sumOf(before, value),
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }
  return sum
}
