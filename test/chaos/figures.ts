import { type FaultKind, nippedAtMost } from './fault-kinds.ts'
import type { Published } from './flow.ts'
import type { JournalLine } from './journal.ts'
import type { KindRow } from './verdict.ts'

/** A figure with its limit. Missed, it is shown as missed; it never decides. */
export interface Figure {
  readonly what: string
  readonly value: number
  readonly atMost: number
  readonly unit: string
}

/** What is measured beside the faults. */
export interface Measured {
  /** Milliseconds, of each daemon, from SIGTERM to its end, idle. */
  readonly drains: readonly number[]
  /** Of each daemon: descriptors at the end beyond those at the start, both idle. */
  readonly descriptors: readonly number[]
  /** Starts of one failing message within a second, at most. */
  readonly failingPerSecond: number
  /** Dead-lettered, though an execution would have succeeded. */
  readonly givenUp: number
}

const isMissed = ({ value, atMost }: Figure): boolean => value > atMost

const RECOVERIES: readonly (Omit<Figure, 'value' | 'unit'> & { readonly kinds: readonly FaultKind[] })[] = [
  {
    what: 'consuming again after the broker accepts',
    atMost: 5,
    kinds: ['broker killed', 'broker app stopped', 'connections closed', 'link reset', 'link refused'],
  },
  {
    what: 'dispatching again after the pool is back',
    atMost: 2,
    kinds: [
      'pool killed',
      'pool reloaded',
      'pool reloaded at once',
      'pool stopped',
      'socket removed',
      'script missing',
    ],
  },
  { what: 'half-open link found, heartbeat 10 s', atMost: 35, kinds: ['link frozen'] },
  { what: 'half-open link found, heartbeat 2 s', atMost: 10, kinds: ['heartbeats lost'] },
]

/** The figures that the run gave; of a fault that did not occur there is none. Pure. */
export function figuresOf(rows: readonly KindRow[], measured: Measured): Figure[] {
  const figures: Figure[] = []
  for (const { what, atMost, kinds } of RECOVERIES) {
    const times = rows.filter(({ kind }) => kinds.includes(kind)).flatMap(({ recoveries }) => recoveries)
    if (times.length > 0) figures.push({ what, value: Math.max(...times) / 1_000, atMost, unit: 's' })
  }
  const killings = rows.filter(({ kind }) => nippedAtMost(kind) > 0)
  if (killings.length > 0) {
    const nipped = killings.map(({ count, burnt, unbegun }) => (burnt + unbegun) / count)
    figures.push({
      what: 'killed when read, and not begun',
      value: Math.max(...nipped),
      atMost: 1,
      unit: 'a fault',
    })
  }
  const { drains, descriptors, failingPerSecond, givenUp } = measured
  figures.push(
    { what: 'SIGTERM when idle', value: Math.max(0, ...drains) / 1_000, atMost: 2, unit: 's' },
    { what: 'a failing message while it is retried', value: failingPerSecond, atMost: 1, unit: '/s' },
    { what: 'descriptors beyond the start', value: Math.max(0, ...descriptors), atMost: 2, unit: '' },
    { what: 'dead-lettered, and would have succeeded', value: givenUp, atMost: 0, unit: '' },
  )
  return figures
}

export const missed = (figures: readonly Figure[]): readonly Figure[] => figures.filter(isMissed)

/**
 * The most attempts at one message that asked to fail within a second. The same attempt twice is not another one: a fault
 * has had it executed twice. Pure.
 */
export function mostFailuresPerSecond(
  journal: readonly JournalLine[],
  published: ReadonlyMap<string, Published>,
): number {
  const attempts = new Map<string, Map<number, number>>()
  for (const { event, id, attempt, time } of journal) {
    if (event !== 'failed' || (published.get(id)?.asked.failures ?? 0) === 0) continue
    const known = attempts.get(id) ?? new Map<number, number>()
    // The first time counts: what follows from a second execution comes later.
    if (!known.has(attempt)) attempts.set(id, known.set(attempt, time))
  }
  let most = 0
  for (const known of attempts.values()) {
    const failures = [...known.values()]
    for (const time of failures) {
      // A failure and the next start of the same message are a whole retry delay apart.
      most = Math.max(most, failures.filter((other) => other >= time && other < time + 1_000).length)
    }
  }
  return most
}
