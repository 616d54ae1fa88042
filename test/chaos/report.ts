import { percentile } from '../../bench/statistics.ts'
import { digits, table } from '../../bench/table.ts'
import type { Counts } from '../../src/observe/counters.ts'
import { type Figure, missed } from './figures.ts'
import type { Memory } from './memory.ts'
import type { Reconciliation } from './reconcile.ts'
import type { KindRow } from './verdict.ts'

const MIB = 2 ** 20

export interface Report {
  readonly rows: readonly KindRow[]
  readonly figures: readonly Figure[]
  readonly reconciliation: Reconciliation
  /** Of all daemons that drained. */
  readonly counts: Counts
  readonly memory: readonly Memory[]
  /** Promises that were not kept, line by line. */
  readonly broken: readonly string[]
  /** What logs and journal have of the messages that those lines name. */
  readonly traces: readonly string[]
}

/** All of it as text for a terminal. */
export function describe({ rows, figures, reconciliation, counts, memory, broken, traces }: Report): string {
  const parts = [kinds(rows), sums(reconciliation), counters(counts), limits(figures)]
  parts.push(
    table(
      ['resident memory, MiB', 'first', 'most', 'last'],
      memory.map(({ daemonId, samples }) => [
        daemonId,
        mib(samples[0]),
        mib(Math.max(...samples)),
        mib(samples.at(-1)),
      ]),
    ),
  )
  parts.push(
    broken.length === 0
      ? 'Every promise was kept.'
      : [...broken.map((promise) => `BROKEN PROMISE: ${promise}`), ...traces].join('\n'),
  )
  return parts.join('\n\n')
}

function kinds(rows: readonly KindRow[]): string {
  const head = [
    'fault',
    'count',
    'lost',
    'at most',
    'twice',
    'at most',
    'burnt',
    'at most',
    'given up',
    'recovery p50 s',
    'max s',
  ]
  return table(
    head,
    rows.map((row) => [
      row.kind,
      ...[row.count, row.lost, row.lostAtMost, row.twice, row.twiceAtMost].map(String),
      ...[row.burnt, row.burntAtMost, row.givenUp].map(String),
      seconds(percentile(row.recoveries, 50)),
      seconds(percentile(row.recoveries, 100)),
    ]),
  )
}

function sums({ published, executed, deadLettered, queued, lost, twice }: Reconciliation): string {
  const asked = lost.filter((loss) => loss.asked).length
  const own = asked === 0 ? '' : ` (${asked} of them asked the worker to die)`
  return [
    `${published} published and confirmed = ${executed} executed + ${deadLettered} dead-lettered + ${queued} queued + ${lost.length} lost${own}`,
    `${twice.length} executed twice`,
  ].join('\n')
}

function counters(counts: Counts): string {
  const words = Object.entries(counts).map(([outcome, count]) => `${count} ${outcome}`)
  return `counted by the daemons that drained: ${words.join(', ')}`
}

/** Each figure with its limit, and whether it is met. */
export function limits(figures: readonly Figure[]): string {
  const late = missed(figures)
  return table(
    ['figure', 'limit', 'here', ''],
    figures.map((figure) => {
      const { what, value, atMost, unit } = figure
      return [what, `<= ${atMost} ${unit}`.trim(), digits(value), late.includes(figure) ? 'missed' : 'met']
    }),
  )
}

const seconds = (milliseconds: number): string =>
  Number.isFinite(milliseconds) ? (milliseconds / 1_000).toFixed(2) : 'never'

const mib = (bytes = Number.NaN): string => digits(bytes / MIB)
