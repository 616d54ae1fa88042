import type { Column } from '../../command-line/table.ts'
import { cut } from '../../command-line/text-width.ts'
import { escapeInvisible } from '../../observe/invisible.ts'
import { type BridgeSight, type FleetSight, keyOf, type QueueSight } from '../../operate/fleet-view/sight.ts'
import { duration } from '../control/report-text.ts'

/** A queue, or one of the bridges below it that consume it. */
export interface TopRow {
  /** Stays the same from picture to picture. */
  readonly key: string
  readonly queue: string
  /** Of the row. */
  readonly bridges: readonly BridgeSight[]
  /** Where the row is the queue itself. */
  readonly whole: QueueSight | undefined
}

/** Characters of a name: the rest of the line has more to say. */
const MAX_NAME = 40

/** Queues, and below each its bridges. */
export function rowsOf({ queues }: Pick<FleetSight, 'queues'>): readonly TopRow[] {
  return queues.flatMap((whole): TopRow[] => [
    { key: JSON.stringify(whole.queue), queue: whole.queue, bridges: whole.bridges, whole },
    ...whole.bridges.map((each) => ({
      key: keyOf(each.daemon, each.bridge),
      queue: whole.queue,
      bridges: [each],
      whole: undefined,
    })),
  ])
}

export const COLUMNS: readonly Column<TopRow>[] = [
  { head: 'QUEUE / DAEMON', of: nameOf },
  { head: 'STATE', of: stateOf },
  { head: 'READY', isNumber: true, of: ({ whole }) => (whole?.counts ? short(whole.counts.messages) : '') },
  { head: 'AGE', isNumber: true, leaves: 5, of: ageOf },
  { head: 'BUSY', isNumber: true, of: busyOf },
  { head: 'MSG/S', isNumber: true, of: (row) => perSecond(sumOf(row, rateOf)) },
  { head: 'OK/S', isNumber: true, leaves: 4, of: rated('executed') },
  { head: 'RETRY/S', isNumber: true, countsFaults: true, leaves: 6, of: rated('retry') },
  { head: 'REFUSED/S', isNumber: true, countsFaults: true, leaves: 6, of: rated('refused') },
  { head: 'DEAD/S', isNumber: true, countsFaults: true, leaves: 7, of: rated('dead-letter') },
  { head: 'LOST/S', isNumber: true, countsFaults: true, leaves: 7, of: rated('lost') },
  { head: 'P50', isNumber: true, leaves: 3, of: quantile('p50') },
  { head: 'P95', isNumber: true, leaves: 8, of: quantile('p95') },
  { head: 'P99', isNumber: true, leaves: 2, of: quantile('p99') },
  { head: 'UP', isNumber: true, leaves: 1, of: upOf },
]

function nameOf({ queue, bridges, whole }: TopRow): string {
  if (whole !== undefined) return cut(escapeInvisible(queue), MAX_NAME)
  const [sight] = bridges as [BridgeSight]
  const { daemon, bridge, silent } = sight
  const name = bridge.name === queue ? daemon.daemon_id : `${daemon.daemon_id} (${bridge.name})`
  return `  ${cut(escapeInvisible(name), MAX_NAME)}${silent ? ' ?' : ''}`
}

/** Of a queue, what one of its bridges is that does not work, the worst of it. */
const WORST = ['no broker', 'held', 'paused', 'draining', 'drained', 'starting', 'running']

function stateOf({ bridges }: TopRow): string {
  const states = bridges.map(({ bridge }) => (bridge.session === 'down' ? 'no broker' : bridge.state))
  const known = WORST.find((state) => states.some((each) => each === state))
  return known ?? escapeInvisible(states[0] ?? '').slice(0, MAX_NAME)
}

function ageOf({ bridges, whole }: TopRow): string {
  if (whole?.counts?.messages === 0) return '-'
  const ages = bridges.flatMap(({ bridge }) => (bridge.age_s === undefined ? [] : [bridge.age_s]))
  if (ages.length === 0) return ''
  return duration(Math.round(Math.max(...ages))).split(' ', 1)[0] ?? ''
}

function busyOf(row: TopRow): string {
  const slots = sumOf(row, ({ bridge }) => bridge.concurrency)
  return `${sumOf(row, ({ bridge }) => bridge.in_flight)}/${slots}`
}

function upOf({ bridges, whole }: TopRow): string {
  if (whole !== undefined) return ''
  return duration(bridges[0]?.daemon.uptime_s ?? 0).split(' ', 1)[0] ?? ''
}

/** `/status` has no rate; then it is that since the look before. */
function rateOf({ bridge, rates = {} }: BridgeSight): number {
  if (bridge.rate > 0) return bridge.rate
  const { hold: _, ...ended } = rates
  return Object.values(ended).reduce((sum, rate) => sum + rate, 0)
}

function rated(outcome: string): Column<TopRow>['of'] {
  return (row) => perSecond(sumOf(row, ({ rates }) => rates?.[outcome] ?? 0))
}

/** Of several bridges the longest: quantiles cannot be added up. */
function quantile(which: 'p50' | 'p95' | 'p99'): Column<TopRow>['of'] {
  return ({ bridges }) => {
    const times = bridges.flatMap(({ bridge }) => bridge.execution_ms?.[which] ?? [])
    return times.length === 0 ? '' : milliseconds(Math.max(...times))
  }
}

function sumOf({ bridges }: TopRow, of: (sight: BridgeSight) => number): number {
  return bridges.reduce((sum, sight) => sum + of(sight), 0)
}

function perSecond(rate: number): string {
  if (rate === 0) return '0'
  return rate < 100 ? rate.toFixed(1) : short(Math.round(rate))
}

function milliseconds(value: number): string {
  if (value < 10) return `${value.toFixed(1)}ms`
  return value < 10_000
    ? `${value.toFixed(0)}ms`
    : (duration(Math.round(value / 1_000)).split(' ', 1)[0] ?? '')
}

/** Five digits at most, and what they stand for. */
function short(value: number): string {
  if (value < 100_000) return String(value)
  return value < 10_000_000 ? `${(value / 1_000).toFixed(0)}k` : `${(value / 1_000_000).toFixed(0)}M`
}
