import { type Column, layTable } from '../../command-line/table.ts'
import type { BridgeReport, DaemonReport } from '../../control/protocol.ts'
import { duration, whyIdle } from './report-text.ts'

interface Row {
  readonly report: DaemonReport
  readonly bridge: BridgeReport
}

const COLUMNS: readonly Column<Row>[] = [
  { head: 'DAEMON', of: ({ report }) => report.daemon_id },
  { head: 'QUEUE', of: ({ bridge: { name, queue } }) => (name === queue ? queue : `${queue} (${name})`) },
  {
    head: 'STATE',
    of: ({ bridge: { state, session } }) => (session === 'down' ? `${state}, no broker` : state),
  },
  { head: 'BUSY', isNumber: true, of: ({ bridge }) => `${bridge.in_flight}/${bridge.concurrency}` },
  { head: 'MSG/S', isNumber: true, leaves: 3, of: ({ bridge: { rate } }) => rate.toFixed(1) },
  { head: 'EXECUTED', isNumber: true, of: counted('executed') },
  { head: 'RETRIED', isNumber: true, countsFaults: true, of: counted('retry') },
  { head: 'REFUSED', isNumber: true, countsFaults: true, of: counted('refused') },
  { head: 'DEAD', isNumber: true, countsFaults: true, of: counted('dead-letter') },
  { head: 'LOST', isNumber: true, countsFaults: true, of: counted('lost') },
  { head: 'UP', isNumber: true, leaves: 2, of: ({ report }) => duration(report.uptime_s) },
  { head: 'HOST', leaves: 5, of: ({ report }) => report.host },
  { head: 'PID', isNumber: true, leaves: 4, of: ({ report }) => String(report.pid) },
  { head: 'VERSION', leaves: 1, of: ({ report }) => report.version },
]
/** Why it does nothing. */
const NOTE: Column<Row> = { head: '', of: ({ bridge }) => whyIdle(bridge) ?? '' }

/**
 * A line for each bridge of each daemon, below a head.
 *
 * @param width columns of the terminal: what there is no room for is left out, and then cut; undefined: no terminal, and no end,
 * so that each line also says why a bridge does nothing
 */
export function fleetTable(reports: readonly DaemonReport[], width: number | undefined): readonly string[] {
  const rows = reports.flatMap((report) => report.bridges.map((bridge) => ({ report, bridge })))
  return layTable(width === undefined ? [...COLUMNS, NOTE] : COLUMNS, rows, width)
}

function counted(outcome: string): Column<Row>['of'] {
  return ({ bridge }) => String(bridge.messages[outcome] ?? 0)
}
