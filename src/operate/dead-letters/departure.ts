import { setImmediate as turn } from 'node:timers/promises'
import { BrokerError } from '../../amqp/broker-error.ts'
import type { OutgoingMessage } from '../../bridge/ports.ts'
import type { DeadLetter } from './letter.ts'
import type { WholeLetter } from './named.ts'
import type { Place } from './place.ts'

/** A letter on its way, and where it goes. */
export interface Departing {
  readonly letter: DeadLetter
  readonly to: string
}

export interface DepartureWatch {
  /**
   * What is published as soon as this resolves with true: whoever may have to answer for it has to know it by then. From that moment until it
   * is gone from its old queue, a message may be in both. False: it cannot be told, and so it stays.
   */
  onDepart(letters: readonly Departing[]): Promise<boolean>
  /** It is in its queue, and among the dead letters no more. */
  onReplayed?(letter: DeadLetter): void
  /** It stays. */
  onRefused(letter: DeadLetter, why: string): void
  /** It is in its queue, and the connection that would have taken it from the dead letters has ended. */
  onDoubled?(letter: DeadLetter): void
  /** It stays, and may be in its queue as well, which has not confirmed it. */
  onUnsure?(letter: DeadLetter): void
}

/** What is wrong with the message itself: others go all the same. */
const UNPUBLISHABLE: readonly BrokerError['code'][] = [
  'HEADERS_TOO_LARGE',
  'INVALID_MESSAGE',
  'BODY_TOO_LARGE',
  'MESSAGE_REFUSED',
]

/** Has letters go to their queues: told before they are published, and taken out when they are confirmed there. */
export class Departure {
  readonly #place: Place
  readonly #watch: DepartureWatch
  #waiting: Departing[] = []
  /** Those that leave in the same turn of the event loop are told together. */
  #told: Promise<boolean> | undefined
  /** Queues that do not exist: a thousand letters for one of them are one question. */
  readonly #missing = new Set<string>()

  constructor(place: Place, watch: DepartureWatch) {
    this.#place = place
    this.#watch = watch
  }

  /**
   * @param messageOf what it becomes, asked for when it is published
   * @throws {BrokerError} why neither this one nor any other can go
   */
  async send(
    { letter, delivery }: WholeLetter,
    to: string,
    messageOf: () => OutgoingMessage,
  ): Promise<'keep' | 'settled'> {
    if (this.#missing.has(to)) return this.#refuse(letter, to)
    this.#waiting.push({ letter, to })
    this.#told ??= this.#tell()
    const isTold = await this.#told
    // What is the broker's again is not ours to publish.
    if (!isTold || !delivery.live) return 'keep'
    try {
      await this.#place.publisher.publish(messageOf())
    } catch (error) {
      return this.#fail(error, letter, to)
    }
    if (delivery.live) {
      delivery.ack()
      this.#watch.onReplayed?.(letter)
    } else this.#watch.onDoubled?.(letter)
    return 'settled'
  }

  async #tell(): Promise<boolean> {
    await turn()
    this.#told = undefined
    return this.#watch.onDepart(this.#waiting.splice(0))
  }

  #fail(error: unknown, letter: DeadLetter, to: string): 'keep' {
    if (!(error instanceof BrokerError)) throw error
    if (error.unsure) this.#watch.onUnsure?.(letter)
    if (error.code === 'UNROUTABLE') {
      this.#missing.add(to)
      return this.#refuse(letter, to)
    }
    if (!UNPUBLISHABLE.includes(error.code)) throw error
    this.#watch.onRefused(letter, error.message)
    return 'keep'
  }

  #refuse(letter: DeadLetter, to: string): 'keep' {
    this.#watch.onRefused(letter, `there is no queue "${to}"; declare it, or name another one with --to`)
    return 'keep'
  }
}
