import { layTable } from '../../command-line/table.ts'
import { cut } from '../../command-line/text-width.ts'
import { escapeInvisible } from '../../observe/invisible.ts'
import type { Line, Size } from './line.ts'
import { panelsOf, shareOut } from './panels.ts'
import { COLUMNS } from './rows.ts'
import { rowsIn, selectionIn, type TopState } from './view-state.ts'

const KEYS = 'q quit  p pause  r resume  up/down select'
/** In front of each row. */
const [MARK, NO_MARK] = ['> ', '  ']

/** What the terminal shows: as many lines as it has, or fewer where it has no end. Pure. */
export function picture(state: TopState, { columns, rows }: Size): readonly Line[] {
  const bounded = Number.isFinite(rows)
  const table = tableOf(state, columns)
  const panels = panelsOf(state.sight)
  const above = head(state)
  const body = Math.max(0, rows - above.length - (bounded ? 1 : 0))
  const [room, shown] = shareOut(table.length, panels, body)
  const lines = [...above, ...scrolled(table, room), ...shown]
  if (bounded) {
    while (lines.length < rows - 1) lines.push({ text: '' })
    lines.push(foot(state))
  }
  return lines
    .slice(0, bounded ? rows : undefined)
    .map(({ text, ...style }) => ({ text: cut(escapeInvisible(text), columns), ...style }))
}

/** How many rows a page key moves by. */
export function pageOf(state: TopState, { rows }: Size): number {
  const [room] = shareOut(rowsIn(state).length + 1, panelsOf(state.sight), Math.max(0, rows - 2))
  return Math.max(1, room - 1)
}

function head({ source, sight, trouble }: TopState): readonly Line[] {
  const parts = [`fpm-bridge top - ${source}`]
  if (sight !== undefined) {
    const { daemons, queues, at } = sight
    parts.push(counted(daemons.length, 'daemon'), counted(queues.length, 'queue'))
    parts.push(new Date(at).toISOString().slice(11, 19))
  }
  const title: Line = { text: parts.join('  '), style: 'strong' }
  return trouble === undefined ? [title] : [title, { text: trouble, style: 'alarm' }]
}

/** The head of the table, and its rows. */
function tableOf(state: TopState, columns: number): readonly Line[] {
  const rows = rowsIn(state)
  if (rows.length === 0) {
    const text =
      state.sight === undefined
        ? 'Looking...'
        : 'No daemon answers: none with --control runs there, or consumes that queue.'
    return state.trouble === undefined ? [{ text }] : []
  }
  const selected = selectionIn(state, rows)
  const [title = '', ...lines] = layTable(COLUMNS, rows, columns - MARK.length)
  return [
    { text: NO_MARK + title, style: 'strong' },
    ...lines.map((line, index): Line => {
      if (index === selected) return { text: MARK + line, style: 'selected' }
      return { text: NO_MARK + line }
    }),
  ]
}

/** The head, and as many rows as there is room for, with the selected one among them. */
function scrolled([title, ...rows]: readonly Line[], room: number): readonly Line[] {
  if (title === undefined || room < 1) return []
  const shown = room - 1
  const selected = rows.findIndex(({ style }) => style === 'selected')
  const start = Math.max(0, Math.min(selected - Math.floor(shown / 2), rows.length - shown))
  return [title, ...rows.slice(start, start + shown)]
}

function foot({ asking, notice }: TopState): Line {
  if (asking !== undefined) return { text: `Pause ${asking}, for all daemons? y/n`, style: 'alarm' }
  return notice === undefined ? { text: KEYS } : { text: notice, style: 'strong' }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
