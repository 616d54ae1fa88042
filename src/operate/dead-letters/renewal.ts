import { BrokerError } from '../../amqp/broker-error.ts'
import type { QueueFacts } from '../../amqp/queue-facts.ts'
import type { Delivery } from '../../bridge/ports.ts'
import { deadCopyOf } from './dead-copy.ts'
import type { DeadLetter } from './letter.ts'
import { contentIn } from './letter-text.ts'
import type { Place } from './place.ts'

/** A quorum queue drops what comes back too often: for such a letter a new one is put in, at the end of the queue. */
export class Renewal {
  readonly #place: Place
  readonly #facts: QueueFacts
  /** Not settled yet, and dropped by the broker if they were given back. */
  readonly #doomed = new Map<Delivery, DeadLetter>()
  /** A new one may be in the queue already, which has not confirmed it. */
  readonly #unsure = new Map<Delivery, BrokerError>()
  /** Ids of those that may have two new ones, or have come back all the same. */
  readonly #doubled: string[] = []

  constructor(place: Place, facts: QueueFacts) {
    this.#place = place
    this.#facts = facts
  }

  /**
   * To be asked before anything is handed out: it could not be given back then.
   *
   * @throws {BrokerError} PUBLISH_REFUSED where the user may not publish; or why that is not known
   */
  async prepare(): Promise<void> {
    const { messages, deliveryLimit } = this.#facts
    if (messages === 0 || !Number.isFinite(deliveryLimit)) return
    await this.#place.publisher.prepare().catch((error: unknown) => {
      throw isRefused(error) ? unreadable(this.#facts, error) : error
    })
  }

  /** @returns whether it would be dropped; then it is renewed in the end, unless it is settled by then */
  offer(letter: DeadLetter, delivery: Delivery): boolean {
    const isDoomed = letter.deliveryCount >= this.#facts.deliveryLimit
    if (isDoomed) this.#doomed.set(delivery, letter)
    return isDoomed
  }

  settled(delivery: Delivery): void {
    this.#doomed.delete(delivery)
  }

  /** Even where its session has ended, with which the broker has dropped it. @throws {BrokerError} */
  async renew(delivery: Delivery): Promise<'settled'> {
    try {
      await this.#place.publisher.publish(deadCopyOf(contentIn(delivery), this.#place.queue))
    } catch (error) {
      if (error instanceof BrokerError && error.unsure) this.#unsure.set(delivery, error)
      throw error
    }
    const id = this.#doomed.get(delivery)?.id
    if (id !== undefined && (this.#unsure.has(delivery) || !delivery.live)) this.#doubled.push(id)
    if (delivery.live) delivery.ack()
    this.#doomed.delete(delivery)
    return 'settled'
  }

  /**
   * All that are left; one that cannot be published keeps none of the others from it. What is in doubt is published once more: given back, it
   * would be lost if it had not arrived.
   *
   * @throws {BrokerError} which names those that may be lost, and those that may be twice
   */
  async finish(): Promise<void> {
    const failure = (await this.#renewAll()) && (await this.#renewAll())
    const lost = [...this.#doomed.values()].map(({ id }) => id)
    if (lost.length === 0 && this.#doubled.length === 0) return
    const { name, deliveryLimit } = this.#facts
    const [doubt] = this.#unsure.values()
    const cause = failure ?? doubt
    const why = cause?.message ?? 'the connection has ended'
    const texts = [
      lost.length > 0 &&
        `letters that may be lost (${lost.length}), since queue "${name}" drops what comes back more than ${deliveryLimit} times: ${lost.join(', ')}`,
      this.#doubled.length > 0 &&
        `letters that may be twice in queue "${name}" (${this.#doubled.length}): ${this.#doubled.join(', ')}`,
    ].filter((text) => text !== false)
    throw new BrokerError(cause?.code ?? 'UNREACHABLE', `${why}; ${texts.join('; ')}`, { cause })
  }

  /** @returns what the first has failed with */
  async #renewAll(): Promise<BrokerError | undefined> {
    const outcomes = await Promise.allSettled([...this.#doomed.keys()].map((each) => this.renew(each)))
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed !== undefined && !(failed.reason instanceof BrokerError)) throw failed.reason
    return failed?.reason
  }
}

function isRefused(error: unknown): error is BrokerError {
  return error instanceof BrokerError && error.code === 'PUBLISH_REFUSED'
}

function unreadable({ name, deliveryLimit }: QueueFacts, cause: BrokerError): BrokerError {
  const message = `queue "${name}" is not read: it may drop what comes back more than ${deliveryLimit} times, and the user may not put such a letter in anew: ${cause.message}`
  return new BrokerError('PUBLISH_REFUSED', message, { cause })
}
