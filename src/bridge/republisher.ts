import { type BackoffRange, backoff, pause, unlessAborted } from './backoff.ts'
import { type CopyForm, copyOf } from './copy-headers.ts'
import { Parking } from './parking.ts'
import type { BridgePolicy, Delivery, Intake, Log, Publisher } from './ports.ts'
import { isQueueAtFault, isRefused, mayCutOthers, smallerForm } from './publish-failure.ts'
import { type Copy, type Fate, Tries } from './tries.ts'

const PUBLISH_DELAY: BackoffRange = { min: 200, max: 10_000 }
/** For what does not end by itself: perhaps somebody does something about it. */
const REFUSED_DELAY: BackoffRange = { min: 20_000, max: 600_000 }

/** Milliseconds for which a message waits for its copy before it is parked: longer than for a young queue. */
const PATIENCE = 5_000

/** After so many tries another queue is taken, where there is one that does as well. */
const TRIES_OF_A_QUEUE = 2

/** After so many connections that ended under it, a copy is published where it can cut off no others. */
const MAX_CUTS = 3

/** Publishes copies of messages, each for as long as it takes. */
export class Republisher {
  readonly #config: BridgePolicy
  readonly #publisher: Publisher
  readonly #parking: Parking
  readonly #signal: AbortSignal
  readonly #log: Log

  /** @param signal aborted when the daemon gives up */
  constructor(config: BridgePolicy, publisher: Publisher, intake: Intake, signal: AbortSignal, log: Log) {
    this.#config = config
    this.#publisher = publisher
    this.#parking = new Parking(config, intake, log)
    this.#signal = signal
    this.#log = log
  }

  /** Resolves when the copy is published, is not needed any more, or will take longer: then its message is parked. */
  async publish(delivery: Delivery, copy: Copy): Promise<Fate> {
    const tries = new Tries(delivery, copy, this.#signal)
    const fate = this.#repeat(tries)
    if (copy.acked) return fate
    const patience = setTimeout(tries.onStuck, PATIENCE)
    const first = await Promise.race([fate, tries.stuck])
    clearTimeout(patience)
    if (first !== undefined) return first
    if (!this.#parking.park(tries)) return fate
    void fate.then((end) => this.#parking.leave(tries, end))
    return 'parked'
  }

  /** Tries for no longer than a message waits for its copy. @returns whether it is published */
  async publishSoon(delivery: Delivery, copy: Copy): Promise<boolean> {
    const tries = new Tries(delivery, copy, this.#signal)
    const patience = setTimeout(tries.onStuck, PATIENCE)
    const fate = await Promise.race([this.#repeat(tries), tries.stuck])
    clearTimeout(patience)
    tries.stop()
    return fate === 'published'
  }

  /** @returns whether the message was parked before, and is again: it is not to be executed */
  takeBack(delivery: Delivery): boolean {
    const copy = this.#parking.recognise(delivery)
    if (copy === undefined) return false
    const tries = new Tries(delivery, copy, this.#signal)
    this.#parking.parkAgain(tries)
    void this.#repeat(tries).then((end) => this.#parking.leave(tries, end))
    return true
  }

  /** See Parking. */
  shorten(consumerTimeout: number): void {
    this.#parking.shorten(consumerTimeout)
  }

  /** Hands back what is parked. */
  drain(): void {
    this.#parking.close()
  }

  async #repeat(tries: Tries): Promise<'published' | 'left'> {
    const { delivery, copy, signal } = tries
    for (let attempt = 1; tries.needed; attempt += 1) {
      const content = copyOf(delivery, copy.purpose, copy.notes, this.#config, tries.form)
      try {
        const message = { queue: tries.queue, ...content, body: delivery.body }
        await unlessAborted(this.#publisher.publish(message, tries.cuts >= MAX_CUTS), signal)
        return 'published'
      } catch (error) {
        if (signal.aborted) break
        const smaller = smallerForm(tries.form, error)
        if (smaller === undefined) await this.#later(tries, attempt, error)
        else this.#useForm(tries, smaller, error)
      }
    }
    return 'left'
  }

  #useForm(tries: Tries, form: CopyForm, error: unknown): void {
    tries.form = form
    if (form.kind === 'brief') return
    const fields = { ...tries.copy.fields, cause: String(error) }
    this.#log.warn('Headers of the message are left out of its copy.', fields)
  }

  async #later(tries: Tries, attempt: number, error: unknown): Promise<void> {
    const cause = String(error)
    const { queue } = tries
    const { fields } = tries.copy
    // Once for each cause; what lasts is parked, and told of again and again there.
    this.#log[cause === tries.cause ? 'debug' : 'error'](
      'Cannot publish the copy of a message; repeated until it succeeds.',
      { ...fields, copyTo: queue, cause, publishAttempt: attempt },
    )
    tries.cause = cause
    tries.cuts += mayCutOthers(error, MAX_CUTS)
    if (attempt >= TRIES_OF_A_QUEUE && isQueueAtFault(error) && tries.passOver()) {
      this.#log.warn('Another retry queue takes the copy.', {
        ...fields,
        passedOver: queue,
        copyTo: tries.queue,
      })
    }
    const refused = isRefused(error)
    if (refused) tries.onStuck()
    await pause(backoff(attempt, refused ? REFUSED_DELAY : PUBLISH_DELAY), tries.signal)
  }
}
