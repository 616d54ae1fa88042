import { type BackoffRange, backoff, pause } from './backoff.ts'
import { bareProperties, type Diagnosis, deadLetterProperties } from './headers.ts'
import type { BridgeConfig, Delivery, Log, Publisher } from './ports.ts'

const PUBLISH_DELAY: BackoffRange = { min: 200, max: 10_000 }

/**
 * Settles what does not end with its dispatch, in the order that loses nothing: the copy is in its new queue,
 * routed and confirmed, before the original is acked. Between the two a crash makes a duplicate, never a loss.
 */
export class Settlement {
  readonly #config: BridgeConfig
  readonly #publisher: Publisher
  readonly #signal: AbortSignal

  /** @param signal aborted when the daemon gives up: unsettled deliveries stay with the broker */
  constructor(config: BridgeConfig, publisher: Publisher, signal: AbortSignal) {
    this.#config = config
    this.#publisher = publisher
    this.#signal = signal
  }

  /**
   * Moves a delivery to the dead-letter queue. A publish that fails is repeated until it succeeds, or until
   * the delivery's session is gone and the broker hands it out again.
   */
  async deadLetter(delivery: Delivery, diagnosis: Diagnosis, log: Log): Promise<void> {
    const { deadLetterQueue } = this.#config
    let properties = deadLetterProperties(delivery, diagnosis, this.#config)
    let bare = false
    for (let attempt = 1; delivery.live && !this.#signal.aborted; attempt += 1) {
      try {
        await this.#publisher.publish({ queue: deadLetterQueue, properties, body: delivery.body })
        delivery.ack()
        const { reason, status } = diagnosis
        log.warn('Dead-lettered.', { reason, status, deadLetterQueue })
        return
      } catch (error) {
        if (isInvalidMessage(error) && !bare) {
          // amqplib decodes more than it can encode, such as names that are not UTF-8. The body is what matters.
          log.warn('The copy for the dead-letter queue goes without the properties of the message.', {
            reason: String(error),
          })
          bare = true
          properties = bareProperties(delivery, diagnosis, this.#config)
          continue
        }
        const level = attempt === 1 ? 'error' : 'debug'
        log[level]('Cannot dead-letter the message; it stays unacked, and the publish is repeated.', {
          reason: String(error),
          deadLetterQueue,
          attempt,
        })
        await pause(backoff(attempt, PUBLISH_DELAY), this.#signal)
      }
    }
  }
}

function isInvalidMessage(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'INVALID_MESSAGE'
}
