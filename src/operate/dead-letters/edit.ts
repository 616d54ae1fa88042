import { Departure, type DepartureWatch } from './departure.ts'
import type { DeadLetter } from './letter.ts'
import { type Content, contentIn } from './letter-text.ts'
import type { WholeLetter } from './named.ts'
import type { Place } from './place.ts'
import { replayOf } from './replay-copy.ts'
import type { Selection } from './selection.ts'
import { lookAtChosen, type TakeWatch, takeChosen } from './take.ts'

/** A letter that was looked at; it stays where it is. */
export interface Found {
  readonly letter: DeadLetter
  readonly content: Content
  /** How many are alike in everything. */
  readonly alike: number
}

const named = (word: string): Selection => ({
  words: [word],
  reason: undefined,
  since: undefined,
  until: undefined,
})

/** @throws {NoSuchChoice} where the word names none, or several that differ; or what walk throws */
export async function find(
  place: Place,
  word: string,
  watch: TakeWatch,
  signal: AbortSignal,
): Promise<Found | undefined> {
  const found: WholeLetter[] = []
  const see = (letter: DeadLetter, delivery: WholeLetter['delivery']): undefined => {
    found.push({ letter, delivery })
  }
  await lookAtChosen(place, named(word), see, watch, signal)
  const [first] = found
  return first && { letter: first.letter, content: contentIn(first.delivery), alike: found.length }
}

/**
 * Puts the edited message into its queue, and takes the letter out when it is confirmed there. Of several that are alike, one.
 *
 * @throws {NoSuchChoice} where the letter has gone meanwhile; or what walk throws
 */
export async function replayEdited(
  place: Place,
  letter: DeadLetter,
  content: Content,
  to: string,
  watch: DepartureWatch,
  signal: AbortSignal,
): Promise<void> {
  const departure = new Departure(place, watch)
  let isDone = false
  const settle = async (whole: WholeLetter): Promise<'keep' | 'settled'> => {
    if (isDone) return 'keep'
    isDone = true
    const note = `${letter.id} ${new Date().toISOString()} edited`
    return departure.send(whole, to, () => replayOf(content, to, note))
  }
  await takeChosen(place, named(letter.id), settle, {}, signal)
}
