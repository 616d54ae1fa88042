import type { FleetSight } from '../../operate/fleet-view/sight.ts'
import { reasonsOf } from '../control/report-text.ts'
import type { Line } from './line.ts'

/** What stands below the table: a title, and lines. */
export interface Panel {
  readonly title: string
  readonly lines: readonly string[]
  /** Lines where there is no room for all of them. */
  readonly few: number
}

/** Those that have something to say. */
export function panelsOf(sight: FleetSight | undefined): readonly Panel[] {
  if (sight === undefined) return []
  const panels: readonly Panel[] = [
    { title: 'HOLDS AND PAUSES', few: 3, lines: reasonsOf(sight.daemons) },
    { title: 'POOLS', few: 2, lines: sight.pools.map(poolLine) },
    { title: 'LAST FAILURES', few: 3, lines: sight.failures.map(failureLine) },
  ]
  return panels.filter(({ lines }) => lines.length > 0)
}

function poolLine({
  pool,
  host,
  busy,
  children,
  listen_queue: waiting,
}: FleetSight['pools'][number]): string {
  const queued = waiting > 0 ? `, ${waiting} requests wait for one` : ''
  return `${pool}${host === '' ? '' : ` (${host})`}: ${busy} of ${children} children busy${queued}`
}

function failureLine({
  time,
  queue,
  outcome,
  reason,
  message_id: id,
}: FleetSight['failures'][number]): string {
  const which = id === undefined ? '' : `${id}  `
  return `${time.slice(11, 19)}  ${queue}  ${outcome}  ${which}${reason}`
}

/**
 * The table comes first: at least half of the room is for it, and all that it can use while each panel has a few lines.
 *
 * @param table lines of it
 * @param room lines in all
 * @returns how many lines the table has, and those of the panels
 */
export function shareOut(
  table: number,
  panels: readonly Panel[],
  room: number,
): readonly [table: number, lines: readonly Line[]] {
  const few = panels.reduce((sum, panel) => sum + 1 + Math.min(panel.few, panel.lines.length), 0)
  const forTable = Math.min(table, Math.max(Math.ceil(room / 2), room - few))
  let left = room - forTable
  // Each has a few lines before one has more.
  const counts = panels.map((panel) => {
    const count = Math.max(0, Math.min(panel.few, panel.lines.length, left - 1))
    if (count > 0) left -= count + 1
    return count
  })
  for (const [index, panel] of panels.entries()) {
    const count = counts[index] ?? 0
    if (count === 0) continue
    const more = Math.min(left, panel.lines.length - count)
    counts[index] = count + more
    left -= more
  }
  const lines = panels.flatMap(({ title, lines: all }, index): readonly Line[] => {
    const count = counts[index] ?? 0
    if (count === 0) return []
    return [{ text: title, style: 'strong' }, ...all.slice(0, count).map((text) => ({ text: `  ${text}` }))]
  })
  return [forTable, lines]
}
