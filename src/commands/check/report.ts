import { styleText } from 'node:util'
import { escapeInvisible } from '../../observe/invisible.ts'
import type { Finding, Status } from '../../operate/check/finding.ts'

interface Mark {
  readonly text: string
  readonly style: Parameters<typeof styleText>[0]
}

const MARKS: Readonly<Record<Status, Mark>> = {
  passed: { text: 'ok', style: 'green' },
  warned: { text: 'warn', style: 'yellow' },
  failed: { text: 'FAIL', style: ['red', 'bold'] },
  unknown: { text: '?', style: 'cyan' },
}
const MARK_WIDTH = 6
const POINT_WIDTH = 25

/** Findings as lines for people: a heading for each subject, and remedies below what needs one. */
export class TextReport {
  readonly #colour: boolean
  readonly #counts: Record<Status, number> = { passed: 0, warned: 0, failed: 0, unknown: 0 }
  #heading = ''

  /** @param colour whether marks have colours */
  constructor(colour: boolean) {
    this.#colour = colour
  }

  linesOf(finding: Finding): readonly string[] {
    const { area, subject, point, status, text } = finding
    this.#counts[status] += 1
    const heading = `${area}: ${subject}`
    const isNew = heading !== this.#heading
    this.#heading = heading
    const remedy = 'remedy' in finding ? finding.remedy : undefined
    const { text: mark, style } = MARKS[status]
    return [
      ...(isNew ? [this.#styled('bold', escapeInvisible(heading))] : []),
      `  ${this.#styled(style, mark.padEnd(MARK_WIDTH))}${escapeInvisible(`${point.padEnd(POINT_WIDTH)} ${text}`)}`,
      ...(remedy === undefined ? [] : [`${' '.repeat(MARK_WIDTH + 2)}-> ${escapeInvisible(remedy)}`]),
    ]
  }

  get summary(): string {
    const { passed, warned, failed, unknown } = this.#counts
    return `${passed} passed, ${warned} warned, ${failed} failed, ${unknown} could not be looked at`
  }

  #styled(style: Mark['style'], text: string): string {
    return this.#colour ? styleText(style, text, { validateStream: false }) : text
  }
}
