import type { PauseNote } from '../control/protocol.ts'

/** Bytes of a note that are read. */
const MAX_NOTE = 4_096

/** @returns what a marker says; `{}` where nobody can read it */
export function noteIn(body: Buffer): PauseNote {
  if (body.length > MAX_NOTE) return {}
  try {
    const value: unknown = JSON.parse(body.toString())
    if (typeof value !== 'object' || value === null) return {}
    const { by, at, reason, until } = value as Readonly<Record<string, unknown>>
    return Object.fromEntries(
      Object.entries({ by, at, reason, until }).filter(([, text]) => typeof text === 'string'),
    )
  } catch {
    return {}
  }
}

/** @param at milliseconds since 1970 */
export function isOver(note: PauseNote, at: number): boolean {
  return endOf(note) <= at
}

/**
 * Two operators who pause at once may leave two notes, and neither of them has been told that it does not count.
 *
 * @returns the note of the pause that ends last; of several such the one that says most
 */
export function lastingNote(notes: readonly PauseNote[]): PauseNote {
  const [longest = {}] = [...notes].sort((a, b) => compare(endOf(b), endOf(a)) || compare(size(b), size(a)))
  return longest
}

/** Milliseconds since 1970; infinite where somebody has to end it, or where the time cannot be read. */
function endOf({ until }: PauseNote): number {
  const end = Date.parse(until ?? '')
  return Number.isNaN(end) ? Number.POSITIVE_INFINITY : end
}

function size(note: PauseNote): number {
  return Object.keys(note).length
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b
}
