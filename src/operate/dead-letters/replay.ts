import type { Window } from '../../amqp/queue-browser.ts'
import { Departure, type DepartureWatch } from './departure.ts'
import type { DeadLetter } from './letter.ts'
import { contentIn } from './letter-text.ts'
import type { WholeLetter } from './named.ts'
import { Pace } from './pace.ts'
import type { Place } from './place.ts'
import { replayOf } from './replay-copy.ts'
import type { Selection } from './selection.ts'
import { lookAtChosen, type TakeWatch, takeChosen } from './take.ts'
import { TAKING, type Walked } from './walk.ts'

export interface ReplayOrder {
  readonly selection: Selection
  /** Undefined: each goes where it came from. */
  readonly to: string | undefined
  /** Messages a second; undefined: as many as the broker takes. */
  readonly rate: number | undefined
}

/** Seconds that a letter may wait for its turn, where a rate is given: the broker waits half an hour for an ack (consumer_timeout). */
const WAIT = 60

/**
 * Puts letters back as messages, each confirmed in its queue before it leaves the dead letters. Whatever ends this half-way, even SIGKILL, leaves
 * each of them in one of the two, or in both; those that may be in both have been told to `onDepart`.
 *
 * @throws {BrokerError} what has ended it; all that has not left is still there
 */
export function replay(
  place: Place,
  order: ReplayOrder,
  watch: TakeWatch & DepartureWatch,
  signal: AbortSignal,
): Promise<Walked> {
  const departure = new Departure(place, watch)
  const { rate } = order
  const pace = rate === undefined ? undefined : new Pace(rate, signal)
  const settle = async (whole: WholeLetter): Promise<'keep' | 'settled'> => {
    const target = targetOf(whole.letter, order.to, place.queue)
    if ('refusal' in target) {
      watch.onRefused(whole.letter, target.refusal)
      return 'keep'
    }
    // Who is told to stop while it waits for its turn has done nothing.
    if (pace !== undefined && !(await pace.turn())) return 'keep'
    const note = `${whole.letter.id} ${new Date().toISOString()}`
    return departure.send(whole, target.queue, () => replayOf(contentIn(whole.delivery), target.queue, note))
  }
  const window = rate === undefined ? TAKING : pacedWindow(rate)
  return takeChosen(place, order.selection, settle, watch, signal, window)
}

function pacedWindow(rate: number): Window {
  const messages = Math.min(TAKING.messages, Math.max(1, Math.ceil(rate * WAIT)))
  return { ...TAKING, messages, waiting: messages }
}

/** What a replay would do: all that it would put back is told as replayed. */
export function rehearse(
  place: Place,
  { selection, to }: ReplayOrder,
  watch: TakeWatch & DepartureWatch,
  signal: AbortSignal,
): Promise<Walked> {
  const see = (letter: DeadLetter): undefined => {
    const target = targetOf(letter, to, place.queue)
    if ('refusal' in target) {
      watch.onRefused(letter, target.refusal)
      return
    }
    watch.onReplayed?.(letter)
    void watch.onDepart([{ letter, to: target.queue }])
  }
  return lookAtChosen(place, selection, see, watch, signal)
}

/** Where a letter goes, or why it goes nowhere. */
export function targetOf(
  { queue, defect }: DeadLetter,
  to: string | undefined,
  from: string,
): { readonly queue: string } | { readonly refusal: string } {
  const target = to ?? queue
  if (defect !== undefined) return { refusal: `${defect}, so that it cannot be copied` }
  if (target === undefined) return { refusal: 'it does not say which queue it came from: name one with --to' }
  if (target === from)
    return { refusal: `it would go into "${from}" again, where it is: name another queue with --to` }
  return { queue: target }
}
