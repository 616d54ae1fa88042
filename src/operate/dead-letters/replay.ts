import { setImmediate as turn } from 'node:timers/promises'
import { BrokerError } from '../../amqp/broker-error.ts'
import type { DeadLetter } from './letter.ts'
import type { WholeLetter } from './named.ts'
import { Pace } from './pace.ts'
import type { Place } from './place.ts'
import { replayOf } from './replay-copy.ts'
import type { Selection } from './selection.ts'
import { lookAtChosen, type TakeWatch, takeChosen } from './take.ts'
import { TAKING, type Walked } from './walk.ts'

/** A letter on its way, and where it goes. */
export interface Departing {
  readonly letter: DeadLetter
  readonly to: string
}

export interface ReplayOrder {
  readonly selection: Selection
  /** Undefined: each goes where it came from. */
  readonly to: string | undefined
  /** Messages a second; undefined: as many as the broker takes. */
  readonly rate: number | undefined
}

export interface ReplayWatch extends TakeWatch {
  /**
   * What is published as soon as this returns: whoever may have to answer for it has to know it by then. From that moment until it is
   * gone from its old queue, a message may be in both.
   */
  onDepart(letters: readonly Departing[]): void
  /** It is in its queue, and among the dead letters no more. */
  onReplayed?(letter: DeadLetter): void
  /** It stays. */
  onRefused(letter: DeadLetter, why: string): void
  /** It is in its queue, and the connection that would have taken it from the dead letters has ended. */
  onDoubled?(letter: DeadLetter): void
}

/** Seconds that a letter may wait for its turn, where a rate is given: the broker waits half an hour for an ack. */
const LONGEST_WAIT = 60

/**
 * Puts letters back as messages, each confirmed in its queue before it leaves the dead letters. Whatever ends this half-way, even SIGKILL, leaves
 * each of them in one of the two, or in both; those that may be in both have been told to `onDepart`.
 *
 * @throws {BrokerError} what has ended it; all that has not left is still there
 */
export function replay(
  place: Place,
  order: ReplayOrder,
  watch: ReplayWatch,
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
    // Who is told to stop while it waits for its turn has done nothing, and what is the broker's again is not ours to publish.
    if (pace !== undefined && !(await pace.turn())) return 'keep'
    if (!whole.delivery.live) return 'keep'
    return departure.send(whole, target.queue)
  }
  const messages = rate === undefined ? TAKING.messages : Math.ceil(rate * LONGEST_WAIT)
  const window = { ...TAKING, messages: Math.min(TAKING.messages, Math.max(1, messages)) }
  return takeChosen(place, order.selection, settle, watch, signal, window)
}

/** What a replay would do. */
export function rehearse(
  place: Place,
  { selection, to }: ReplayOrder,
  watch: ReplayWatch,
  signal: AbortSignal,
): Promise<Walked> {
  const see = (letter: DeadLetter): undefined => {
    const target = targetOf(letter, to, place.queue)
    if ('refusal' in target) watch.onRefused(letter, target.refusal)
    else watch.onDepart([{ letter, to: target.queue }])
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

/** What is wrong with the message itself: others go all the same. */
const UNPUBLISHABLE: readonly BrokerError['code'][] = [
  'HEADERS_TOO_LARGE',
  'INVALID_MESSAGE',
  'BODY_TOO_LARGE',
  'MESSAGE_REFUSED',
]

/** Those that leave in the same turn of the event loop are told together. */
class Departure {
  readonly #place: Place
  readonly #watch: ReplayWatch
  #waiting: Departing[] = []
  #told: Promise<void> | undefined
  /** Queues that do not exist: a thousand letters for one of them are one question. */
  readonly #missing = new Set<string>()

  constructor(place: Place, watch: ReplayWatch) {
    this.#place = place
    this.#watch = watch
  }

  async send({ letter, delivery }: WholeLetter, to: string): Promise<'keep' | 'settled'> {
    if (this.#missing.has(to)) return this.#refuse(letter, to)
    this.#waiting.push({ letter, to })
    this.#told ??= this.#tell()
    await this.#told
    try {
      await this.#place.publisher.publish(replayOf(delivery, to, `${letter.id} ${new Date().toISOString()}`))
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      if (error.code === 'UNROUTABLE') {
        this.#missing.add(to)
        return this.#refuse(letter, to)
      }
      if (!UNPUBLISHABLE.includes(error.code)) throw error
      this.#watch.onRefused(letter, error.message)
      return 'keep'
    }
    if (delivery.live) {
      delivery.ack()
      this.#watch.onReplayed?.(letter)
    } else this.#watch.onDoubled?.(letter)
    return 'settled'
  }

  async #tell(): Promise<void> {
    await turn()
    this.#told = undefined
    this.#watch.onDepart(this.#waiting.splice(0))
  }

  #refuse(letter: DeadLetter, to: string): 'keep' {
    this.#watch.onRefused(letter, `there is no queue "${to}"; declare it, or name another one with --to`)
    return 'keep'
  }
}
