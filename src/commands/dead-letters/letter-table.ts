import { type Column, layTable } from '../../command-line/table.ts'
import type { LetterGroup } from '../../operate/dead-letters/groups.ts'
import { type DeadLetter, SHOWN_DIGITS } from '../../operate/dead-letters/letter.ts'
import { duration } from '../control/report-text.ts'

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

/** @param width of a terminal, which cuts; undefined: none, and nothing is cut */
export function letterTable(letters: readonly DeadLetter[], width: number | undefined): readonly string[] {
  return layTable(LETTER_COLUMNS, letters, width)
}

/** @param width as with letterTable */
export function groupTable(groups: readonly LetterGroup[], width: number | undefined): readonly string[] {
  return layTable(GROUP_COLUMNS, groups, width)
}

/** One letter among others, in a line. */
export function briefLine({ id, time, reason, messageId }: DeadLetter): string {
  return [id, ageOf(time), messageId, reason].filter((part) => part !== undefined && part !== '').join('  ')
}

/** Time since then, as the two largest units; empty where nobody knows. */
export function ageOf(time: number | undefined): string {
  return time === undefined ? '' : duration(Math.max(0, (Date.now() - time) / 1_000))
}

/** Of a path, or of the name of a class. */
function lastPart(text: string): string {
  return text.slice(Math.max(text.lastIndexOf('/'), text.lastIndexOf('\\')) + 1)
}

function firstLine(text: string): string {
  return /^.*$/m.exec(text.trimStart())?.[0] ?? ''
}
