import type { Window } from '../../amqp/queue-browser.ts'
import type { QueueFacts } from '../../amqp/queue-facts.ts'
import type { Delivery } from '../../bridge/ports.ts'
import type { DeadLetter } from './letter.ts'
import { NamedLetters, type WholeLetter } from './named.ts'
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
      named.offer(letter, delivery)
      return 'keep'
    },
    async after() {
      const outcomes = await Promise.allSettled(named.letters.map(settle))
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
      if (!selector.includes(letter)) named.offer(letter, delivery)
      else {
        const ready = onLetter(letter, delivery)
        if (ready !== undefined) return ready.then(() => 'keep' as const)
      }
      return 'keep'
    },
    async after() {
      for (const { letter, delivery } of named.letters) await onLetter(letter, delivery)
    },
  })
}
