import { escapeInvisible } from '../../observe/invisible.ts'
import type { LetterGroup } from '../../operate/dead-letters/groups.ts'
import { type DeadLetter, SHOWN_DIGITS } from '../../operate/dead-letters/letter.ts'
import { duration } from '../control/report-text.ts'

interface Column<T> {
  readonly head: string
  /** Set to the right. */
  readonly isNumber?: true
  /** Columns of a terminal that it takes at most. */
  readonly most?: number
  of(row: T): string
}

/** What the package, and PHP before it, put before what has happened: which message it is stands in the line already. */
const OUR_BEGINNING = /^(?:PHP message: )?fpm-bridge: message \S+ \(execution [^)]*\): /

const LETTER_COLUMNS: readonly Column<DeadLetter>[] = [
  { head: 'ID', of: ({ id }) => id.slice(0, SHOWN_DIGITS) },
  { head: 'AGE', isNumber: true, of: ({ time }) => ageOf(time) },
  { head: 'QUEUE', most: 20, of: ({ queue }) => queue ?? '' },
  { head: 'STATUS', isNumber: true, of: ({ status }) => String(status ?? '') },
  { head: 'TRIES', isNumber: true, of: ({ attempts }) => String(attempts ?? '') },
  { head: 'SCRIPT', most: 24, of: ({ script, subject }) => lastPart(subject ?? script ?? '') },
  { head: 'REASON', most: 40, of: ({ reason }) => reason ?? '' },
  { head: 'STDERR', of: ({ stderr }) => firstLine(stderr ?? '').replace(OUR_BEGINNING, '') },
]

const GROUP_COLUMNS: readonly Column<LetterGroup>[] = [
  { head: 'GROUP', of: ({ id }) => id },
  { head: 'COUNT', isNumber: true, of: ({ count }) => String(count) },
  { head: 'FIRST', isNumber: true, of: ({ firstSeen }) => ageOf(firstSeen) },
  { head: 'LAST', isNumber: true, of: ({ lastSeen }) => ageOf(lastSeen) },
  { head: 'STATUS', isNumber: true, of: ({ status }) => String(status ?? '') },
  { head: 'SCRIPT', most: 24, of: ({ script }) => lastPart(script ?? '') },
  { head: 'EXCEPTION', most: 30, of: ({ exception }) => exception ?? '' },
  { head: 'REASON', of: ({ reason }) => reason ?? '' },
]

export function letterTable(letters: readonly DeadLetter[], width: number | undefined): readonly string[] {
  return lay(LETTER_COLUMNS, letters, width)
}

export function groupTable(groups: readonly LetterGroup[], width: number | undefined): readonly string[] {
  return lay(GROUP_COLUMNS, groups, width)
}

/** One letter among others, in a line. */
export function briefLine({ id, time, reason, messageId }: DeadLetter): string {
  return [id, ageOf(time), messageId, reason].filter((part) => part !== undefined && part !== '').join('  ')
}

/** Time since then, as the two largest units; empty where nobody knows. */
export function ageOf(time: number | undefined): string {
  return time === undefined ? '' : duration(Math.max(0, (Date.now() - time) / 1_000))
}

/** @param width of a terminal, which cuts; undefined: none, and nothing is cut */
function lay<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  width: number | undefined,
): readonly string[] {
  const laid = columns.map((column) => {
    const cells = [column.head, ...rows.map((row) => cellOf(column, row, width))]
    return { column, cells, width: cells.reduce((longest, { length }) => Math.max(longest, length), 0) }
  })
  return [undefined, ...rows].map((_, row) => {
    const line = laid
      .map(({ column, cells, width: own }) =>
        column.isNumber ? (cells[row] ?? '').padStart(own) : (cells[row] ?? '').padEnd(own),
      )
      .join('  ')
      .trimEnd()
    return width === undefined ? line : cut(line, width)
  })
}

function cellOf<T>({ most, of }: Column<T>, row: T, width: number | undefined): string {
  const text = escapeInvisible(of(row))
  return width === undefined || most === undefined ? text : cut(text, most)
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`
}

/** Of a path, or of the name of a class. */
function lastPart(text: string): string {
  return text.slice(Math.max(text.lastIndexOf('/'), text.lastIndexOf('\\')) + 1)
}

function firstLine(text: string): string {
  return /^.*$/m.exec(text.trimStart())?.[0] ?? ''
}
