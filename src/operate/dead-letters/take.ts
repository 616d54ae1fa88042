import type { Window } from '../../amqp/queue-browser.ts'
import type { QueueFacts } from '../../amqp/queue-facts.ts'
import type { Delivery } from '../../bridge/ports.ts'
import type { DeadLetter } from './letter.ts'
import { NamedLetters, NoSuchChoice, type WholeLetter } from './named.ts'
import type { Place } from './place.ts'
import { type Selection, Selector } from './selection.ts'
import { LOOKING, TAKING, type Walked, walk } from './walk.ts'

/** What whoever asks hears of it. */
export interface TakeWatch {
  /** Before anything is handed out. */
  onFacts?(facts: QueueFacts): void
  /** How many have been seen by now. */
  onSeen?(seen: number): void
}

/** Settles a letter, or has it stay. */
export type Settle = (whole: WholeLetter) => Promise<'keep' | 'settled'>

/**
 * Goes through the letters and settles those that are meant: at once, or, where words name them, when it is known what the words mean.
 *
 * @throws what walk throws; {NoSuchChoice}
 */
export async function takeChosen(
  place: Place,
  selection: Selection,
  settle: Settle,
  watch: TakeWatch,
  signal?: AbortSignal,
  window: Window = TAKING,
): Promise<Walked> {
  const selector = new Selector(selection)
  const named = new NamedLetters(selector)
  let seen = 0
  return walk(place, {
    purpose: 'take',
    window,
    signal,
    onFacts: (facts) => watch.onFacts?.(facts),
    take(letter, delivery) {
      seen += 1
      watch.onSeen?.(seen)
      if (selector.includes(letter)) return settle({ letter, delivery })
      return named.offer(letter, delivery) ? 'undecided' : 'keep'
    },
    async after(onSettled) {
      requireGroups(selector)
      const outcomes = await Promise.allSettled(
        named.letters.map(async (whole) => {
          if ((await settle(whole)) === 'settled') onSettled(whole.delivery)
        }),
      )
      const failed = outcomes.find((outcome) => outcome.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    },
  })
}

/**
 * The letters that are meant, each as it comes; all stay where they are.
 *
 * @param onLetter resolves when it takes more; undefined: at once
 * @throws as takeChosen
 */
export async function lookAtChosen(
  place: Place,
  selection: Selection,
  onLetter: (letter: DeadLetter, delivery: Delivery) => Promise<void> | undefined,
  watch: TakeWatch,
  signal?: AbortSignal,
): Promise<Walked> {
  const selector = new Selector(selection)
  const named = new NamedLetters(selector)
  let seen = 0
  return walk(place, {
    purpose: 'look',
    window: LOOKING,
    signal,
    onFacts: (facts) => watch.onFacts?.(facts),
    take(letter, delivery) {
      seen += 1
      watch.onSeen?.(seen)
      if (!selector.includes(letter)) return named.offer(letter, delivery) ? 'undecided' : 'keep'
      return onLetter(letter, delivery)?.then(() => 'keep' as const) ?? 'keep'
    },
    async after() {
      requireGroups(selector)
      for (const { letter, delivery } of named.letters) await onLetter(letter, delivery)
    },
  })
}

/** @throws {NoSuchChoice} for a group that has no letter; letters of others have been settled */
function requireGroups({ emptyGroups: [empty] }: Selector): void {
  if (empty !== undefined) throw new NoSuchChoice(`no dead letter that is meant is of the group "${empty}"`)
}
