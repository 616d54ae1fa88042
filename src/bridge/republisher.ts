import { type BackoffRange, backoff, pause, unlessAborted } from './backoff.ts'
import { type CopyForm, copyOf } from './copy-headers.ts'
import type { Tell } from './events.ts'
import { Parking } from './parking.ts'
import type { BridgePolicy, Delivery, Intake, Publisher } from './ports.ts'
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

/**
 * Told once of each copy that is published, before anybody else.
 *
 * @param parked of a message that was parked, how many still are
 */
export type OnPublished = (copy: Copy, queue: string, parked: number | undefined) => void

/** Publishes copies of messages, each for as long as it takes. */
export class Republisher {
  readonly #config: BridgePolicy
  readonly #publisher: Publisher
  readonly #parking: Parking
  readonly #signal: AbortSignal
  readonly #tell: Tell
  readonly #onPublished: OnPublished

  /** @param signal aborted when the daemon gives up */
  constructor(
    config: BridgePolicy,
    publisher: Publisher,
    intake: Intake,
    signal: AbortSignal,
    tell: Tell,
    onPublished: OnPublished,
  ) {
    this.#config = config
    this.#publisher = publisher
    this.#parking = new Parking(config, intake, tell)
    this.#signal = signal
    this.#tell = tell
    this.#onPublished = onPublished
  }

  /** Resolves when the copy is published, is not needed any more, or will take longer: then its message is parked. */
  async publish(copy: Copy): Promise<Fate> {
    const tries = new Tries(copy, this.#signal)
    const end = this.#finish(tries)
    if (copy.execution.acked) return end
    await this.#endOrStuck(tries, end)
    return !tries.over && this.#parking.park(tries) ? 'parked' : end
  }

  /** Tries for no longer than a message waits for its copy. @returns whether it is published */
  async publishSoon(copy: Copy): Promise<boolean> {
    const tries = new Tries(copy, this.#signal)
    const end = this.#finish(tries)
    await this.#endOrStuck(tries, end)
    tries.stop()
    return (await end) === 'published'
  }

  /** @returns whether the message was parked before, and is again: it is not to be executed */
  takeBack(delivery: Delivery): boolean {
    const copy = this.#parking.recognise(delivery)
    if (copy === undefined) return false
    copy.execution.adopt(delivery)
    const tries = new Tries(copy, this.#signal)
    this.#parking.parkAgain(tries)
    void this.#finish(tries)
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

  async #endOrStuck(tries: Tries, end: Promise<Fate>): Promise<void> {
    const patience = setTimeout(tries.onStuck, PATIENCE)
    await Promise.race([end, tries.stuck])
    clearTimeout(patience)
  }

  async #finish(tries: Tries): Promise<'published' | 'left'> {
    const published = await this.#repeat(tries)
    tries.over = true
    const parked = this.#parking.leave(tries, published)
    if (published) this.#onPublished(tries.copy, tries.queue, parked)
    return published ? 'published' : 'left'
  }

  /** @returns whether the copy is published; if not, it is not needed any more */
  async #repeat(tries: Tries): Promise<boolean> {
    const { delivery, copy, signal } = tries
    for (let attempt = 1; tries.needed; attempt += 1) {
      const content = copyOf(copy.execution, copy.made.purpose, copy.notes, this.#config, tries.form)
      try {
        const message = { queue: tries.queue, ...content, body: delivery.body }
        await unlessAborted(this.#publisher.publish(message, tries.cuts >= MAX_CUTS), signal)
        return !tries.superseded
      } catch (error) {
        if (signal.aborted) break
        const smaller = smallerForm(tries.form, error)
        if (smaller === undefined) await this.#later(tries, attempt, error)
        else this.#useForm(tries, smaller, error)
      }
    }
    return false
  }

  #useForm(tries: Tries, form: CopyForm, error: unknown): void {
    tries.form = form
    if (form.kind === 'brief') return
    this.#tell({ kind: 'headers-left-out', copy: tries.copy.made, cause: String(error) })
  }

  async #later(tries: Tries, attempt: number, error: unknown): Promise<void> {
    const cause = String(error)
    const copy = tries.copy.made
    const { queue } = tries
    this.#tell({ kind: 'copy-failed', copy, copyTo: queue, cause, attempt, repeated: cause === tries.cause })
    tries.cause = cause
    tries.cuts += mayCutOthers(error, MAX_CUTS)
    if (attempt >= TRIES_OF_A_QUEUE && isQueueAtFault(error) && tries.passOver()) {
      this.#tell({ kind: 'queue-passed-over', copy, passedOver: queue, copyTo: tries.queue })
    }
    const refused = isRefused(error)
    if (refused) tries.onStuck()
    await pause(backoff(attempt, refused ? REFUSED_DELAY : PUBLISH_DELAY), tries.signal)
  }
}
