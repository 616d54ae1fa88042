import type { DeadLetter } from './letter.ts'
import type { Place } from './place.ts'
import type { Selection } from './selection.ts'
import { type TakeWatch, takeChosen } from './take.ts'
import type { Walked } from './walk.ts'

/**
 * Takes letters out for good.
 *
 * @param onRemoved hears of each
 * @throws as takeChosen
 */
export function remove(
  place: Place,
  selection: Selection,
  onRemoved: (letter: DeadLetter) => void,
  watch: TakeWatch,
  signal: AbortSignal,
): Promise<Walked> {
  return takeChosen(
    place,
    selection,
    async ({ letter, delivery }) => {
      // The broker has it back.
      if (!delivery.live) return 'keep'
      delivery.ack()
      onRemoved(letter)
      return 'settled'
    },
    watch,
    signal,
  )
}
