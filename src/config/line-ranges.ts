/** Numbers of lines, from 1: apart from each other, and in their order. */
export interface LineRange {
  readonly from: number
  /** Inclusive; infinite: to the end. */
  readonly to: number
}

export const ALL_LINES: readonly LineRange[] = [{ from: 1, to: Number.POSITIVE_INFINITY }]

/** @param text as sed and cut take it: `3,7-9,20-` @throws {Error} */
export function lineRanges(text: string): readonly LineRange[] {
  const ranges = text.split(',').map((part): LineRange => {
    const [, first, hyphen, last] = /^(\d{1,15})(-(\d{1,15})?)?$/.exec(part) ?? []
    const from = Number(first)
    const to = hyphen === undefined ? from : Number(last ?? Number.POSITIVE_INFINITY)
    if (!(from >= 1 && to >= from)) throw new Error('must be numbers of lines such as 12- or 3,7-9,20-')
    return { from, to }
  })
  return merged(ranges)
}

export function hasLine(ranges: readonly LineRange[], line: number): boolean {
  return ranges.some(({ from, to }) => line >= from && line <= to)
}

/** What of them is at that line, or after it. */
export function linesFrom(ranges: readonly LineRange[], first: number): readonly LineRange[] {
  return ranges.filter(({ to }) => to >= first).map(({ from, to }) => ({ from: Math.max(from, first), to }))
}

/** As lineRanges reads it. */
export function lineText(ranges: readonly LineRange[]): string {
  return merged(ranges)
    .map(({ from, to }) => (from === to ? `${from}` : `${from}-${Number.isFinite(to) ? to : ''}`))
    .join(',')
}

function merged(ranges: readonly LineRange[]): readonly LineRange[] {
  const all: LineRange[] = []
  for (const range of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = all.at(-1)
    if (last === undefined || range.from > last.to + 1) all.push(range)
    else all[all.length - 1] = { from: last.from, to: Math.max(last.to, range.to) }
  }
  return all
}
