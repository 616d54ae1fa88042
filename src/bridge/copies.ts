import { type BackoffRange, backoff, pause, unlessAborted } from './backoff.ts'
import { bareProperties, type CopyNotes, type CopyPurpose, copyProperties } from './headers.ts'
import type { BridgeConfig, Delivery, Log, Publisher } from './ports.ts'

const PUBLISH_DELAY: BackoffRange = { min: 200, max: 10_000 }

/** A copy of a message on its way to a queue. */
export interface Copy {
  readonly queue: string
  readonly purpose: CopyPurpose
  readonly notes: CopyNotes
  /** False once nobody needs it: the broker hands out the original again. */
  readonly needed: () => boolean
  /** For log lines about it. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** Publishes copies of messages, each for as long as it takes. */
export class Copies {
  readonly #config: BridgeConfig
  readonly #publisher: Publisher
  readonly #signal: AbortSignal
  readonly #log: Log

  /** @param signal aborted when the daemon gives up */
  constructor(config: BridgeConfig, publisher: Publisher, signal: AbortSignal, log: Log) {
    this.#config = config
    this.#publisher = publisher
    this.#signal = signal
    this.#log = log
  }

  /**
   * Repeats until it succeeds.
   *
   * @returns false when the copy was not needed any more, or the daemon gives up
   */
  async publish(delivery: Delivery, { queue, purpose, notes, needed, fields }: Copy): Promise<boolean> {
    let properties = copyProperties(delivery, purpose, notes, this.#config)
    let bare = false
    let reported: string | undefined
    for (let attempt = 1; needed() && !this.#signal.aborted; attempt += 1) {
      try {
        const published = this.#publisher.publish({ queue, properties, body: delivery.body })
        await unlessAborted(published, this.#signal)
        return true
      } catch (error) {
        if (this.#signal.aborted) break
        if (isInvalidMessage(error) && !bare) {
          // amqplib decodes more than it can encode, such as names that are not UTF-8. The body is what matters.
          this.#log.warn('The copy goes without the headers of the message.', {
            ...fields,
            cause: String(error),
          })
          bare = true
          properties = bareProperties(delivery, notes, this.#config)
          continue
        }
        const cause = String(error)
        this.#log[cause === reported ? 'debug' : 'error'](
          'Cannot publish the copy of a message; repeated until it succeeds.',
          {
            ...fields,
            copyTo: queue,
            cause,
            publishAttempt: attempt,
          },
        )
        reported = cause
        await pause(backoff(attempt, PUBLISH_DELAY), this.#signal)
      }
    }
    return false
  }
}

function isInvalidMessage(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'INVALID_MESSAGE'
}
