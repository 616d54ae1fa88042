import { escapeInvisible } from '../observe/invisible.ts'
import { cut, padEnd, padStart, textWidth } from './text-width.ts'

export interface Column<Row> {
  readonly head: string
  /** Set to the right. */
  readonly isNumber?: true
  /** Of columns that leave a terminal that is too narrow, the lowest goes first; undefined: it stays. */
  readonly leaves?: number
  /** Leaves before those, where it has nothing but zeros. */
  readonly countsFaults?: true
  /** Columns of a terminal that it takes at most. */
  readonly most?: number
  /** What nobody sees is escaped. */
  of(row: Row): string
}

/** A column as it is with these rows. */
interface Laid<Row> {
  readonly column: Column<Row>
  readonly cells: readonly string[]
  readonly width: number
}

/**
 * A line for each row, below a head.
 *
 * @param width columns of the terminal: what there is no room for is left out, and then cut; undefined: there is no end
 */
export function layTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number | undefined,
): readonly string[] {
  const all = columns.map((column): Laid<Row> => {
    const cells = [column.head, ...rows.map((row) => cellOf(column, row, width))]
    return { column, cells, width: cells.reduce((longest, cell) => Math.max(longest, textWidth(cell)), 0) }
  })
  const laid = width === undefined ? all : fitting(all, width)
  return [undefined, ...rows].map((_, row) => {
    const line = laid
      .map(({ column, cells, width: own }) => {
        const pad = column.isNumber ? padStart : padEnd
        return pad(cells[row] ?? '', own)
      })
      .join('  ')
      .trimEnd()
    return width === undefined ? line : cut(line, width)
  })
}

function cellOf<Row>({ most, of }: Column<Row>, row: Row, width: number | undefined): string {
  const text = escapeInvisible(of(row))
  return width === undefined || most === undefined ? text : cut(text, most)
}

function fitting<Row>(all: readonly Laid<Row>[], width: number): readonly Laid<Row>[] {
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

const NO_FAULTS = ['0', '']

function rankOf<Row>({ column, cells }: Laid<Row>): number | undefined {
  const hasFaults = cells.slice(1).some((cell) => !NO_FAULTS.includes(cell))
  return column.countsFaults && !hasFaults ? 0 : column.leaves
}

function widthOf<Row>(laid: readonly Laid<Row>[]): number {
  return laid.reduce((sum, { width }) => sum + width + 2, -2)
}
