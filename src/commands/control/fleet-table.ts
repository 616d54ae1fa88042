import type { BridgeReport, DaemonReport } from '../../control/protocol.ts'

type Cell = string

const HEAD: readonly Cell[] = [
  ...['DAEMON', 'QUEUE', 'STATE', 'BUSY', 'MSG/S', 'EXECUTED', 'RETRIED', 'REFUSED', 'DEAD', 'LOST'],
  ...['UP', 'HOST', 'PID', 'VERSION', ''],
]
/** Columns of numbers, which are set to the right. */
const NUMBERS = new Set(['BUSY', 'MSG/S', 'EXECUTED', 'RETRIED', 'REFUSED', 'DEAD', 'LOST', 'UP', 'PID'])

/**
 * A line for each bridge of each daemon, below a head.
 *
 * @param width columns of the terminal: longer lines are cut; undefined: no terminal, and no end
 */
export function fleetTable(reports: readonly DaemonReport[], width: number | undefined): readonly string[] {
  const rows = [HEAD, ...reports.flatMap((report) => report.bridges.map((bridge) => row(report, bridge)))]
  const widths = HEAD.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)))
  return rows.map((cells) => {
    const line = cells
      .map((cell, column) =>
        NUMBERS.has(HEAD[column] ?? '')
          ? cell.padStart(widths[column] ?? 0)
          : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd()
    return width === undefined || line.length <= width ? line : `${line.slice(0, width - 1)}…`
  })
}

function row(report: DaemonReport, bridge: BridgeReport): readonly Cell[] {
  const { daemon_id: id, host, pid, version, uptime_s: uptime } = report
  const { name, queue, state, session, in_flight: inFlight, concurrency, rate, messages = {} } = bridge
  const count = (outcome: string): Cell => String(messages[outcome] ?? 0)
  return [
    id,
    name === queue ? queue : `${queue} (${name})`,
    session === 'down' ? `${state}, no broker` : state,
    `${inFlight}/${concurrency}`,
    typeof rate === 'number' ? rate.toFixed(1) : '',
    ...['executed', 'retry', 'refused', 'dead-letter', 'lost'].map(count),
    duration(uptime),
    host,
    String(pid),
    version,
    note(bridge),
  ]
}

/** Why it does nothing. */
function note({ hold, pause }: BridgeReport): Cell {
  if (pause !== undefined) {
    const { by, reason, until } = pause
    return [by && `by ${by}`, reason, until && `until ${until}`].filter(Boolean).join(', ')
  }
  return hold?.reason ?? ''
}

/** The two largest units: `3d 4h`, `12m 7s`. */
export function duration(seconds: number): string {
  const units = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'm'],
    [1, 's'],
  ] as const
  const first = units.findIndex(([size]) => seconds >= size)
  if (first === -1) return '0s'
  let rest = seconds
  const parts = units.slice(first, first + 2).map(([size, unit]) => {
    const count = Math.floor(rest / size)
    rest -= count * size
    return count === 0 ? '' : `${count}${unit}`
  })
  return parts.filter((part) => part !== '').join(' ')
}
