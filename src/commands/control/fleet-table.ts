import type { BridgeReport, DaemonReport } from '../../control/protocol.ts'
import { duration, whyIdle } from './report-text.ts'

interface Column {
  readonly head: string
  /** Set to the right. */
  readonly isNumber?: true
  /** Of columns that leave a terminal that is too narrow, the lowest goes first; undefined: it stays. */
  readonly leaves?: number
  /** Leaves before those, where it has nothing but zeros. */
  readonly countsFaults?: true
  of(report: DaemonReport, bridge: BridgeReport): string
}

const COLUMNS: readonly Column[] = [
  { head: 'DAEMON', of: (report) => report.daemon_id },
  { head: 'QUEUE', of: (_, { name, queue }) => (name === queue ? queue : `${queue} (${name})`) },
  { head: 'STATE', of: (_, { state, session }) => (session === 'down' ? `${state}, no broker` : state) },
  { head: 'BUSY', isNumber: true, of: (_, bridge) => `${bridge.in_flight}/${bridge.concurrency}` },
  { head: 'MSG/S', isNumber: true, leaves: 3, of: (_, { rate }) => rate.toFixed(1) },
  { head: 'EXECUTED', isNumber: true, of: counted('executed') },
  { head: 'RETRIED', isNumber: true, countsFaults: true, of: counted('retry') },
  { head: 'REFUSED', isNumber: true, countsFaults: true, of: counted('refused') },
  { head: 'DEAD', isNumber: true, countsFaults: true, of: counted('dead-letter') },
  { head: 'LOST', isNumber: true, countsFaults: true, of: counted('lost') },
  { head: 'UP', isNumber: true, leaves: 2, of: (report) => duration(report.uptime_s) },
  { head: 'HOST', leaves: 5, of: (report) => report.host },
  { head: 'PID', isNumber: true, leaves: 4, of: (report) => String(report.pid) },
  { head: 'VERSION', leaves: 1, of: (report) => report.version },
]
/** Why it does nothing. */
const NOTE: Column = { head: '', of: (_, bridge) => whyIdle(bridge) ?? '' }

/** A column as it is with these rows. */
interface Laid {
  readonly column: Column
  readonly cells: readonly string[]
  readonly width: number
}

/**
 * A line for each bridge of each daemon, below a head.
 *
 * @param width columns of the terminal: what there is no room for is left out, and then cut; undefined: no terminal, and no end,
 * so that each line also says why a bridge does nothing
 */
export function fleetTable(reports: readonly DaemonReport[], width: number | undefined): readonly string[] {
  const rows = reports.flatMap((report) => report.bridges.map((bridge) => ({ report, bridge })))
  const all = (width === undefined ? [...COLUMNS, NOTE] : COLUMNS).map((column): Laid => {
    const cells = [column.head, ...rows.map(({ report, bridge }) => column.of(report, bridge))]
    return { column, cells, width: cells.reduce((longest, { length }) => Math.max(longest, length), 0) }
  })
  const laid = width === undefined ? all : fitting(all, width)
  return [undefined, ...rows].map((_, row) => {
    const line = laid
      .map(({ column, cells, width: own }) =>
        column.isNumber ? (cells[row] ?? '').padStart(own) : (cells[row] ?? '').padEnd(own),
      )
      .join('  ')
      .trimEnd()
    return width === undefined || line.length <= width ? line : `${line.slice(0, width - 1)}…`
  })
}

function fitting(all: readonly Laid[], width: number): readonly Laid[] {
  const leaving = all
    .filter((laid) => rankOf(laid) !== undefined)
    .sort((a, b) => (rankOf(a) ?? 0) - (rankOf(b) ?? 0))
  let left = all
  for (const each of leaving) {
    if (widthOf(left) <= width) break
    left = left.filter((laid) => laid !== each)
  }
  return left
}

function rankOf({ column, cells }: Laid): number | undefined {
  const hasFaults = cells.slice(1).some((cell) => cell !== '0')
  return column.countsFaults && !hasFaults ? 0 : column.leaves
}

function widthOf(laid: readonly Laid[]): number {
  return laid.reduce((sum, { width }) => sum + width + 2, -2)
}

function counted(outcome: string): Column['of'] {
  return (_, { messages }) => String(messages[outcome] ?? 0)
}
