import { type BackoffRange, backoff, pause, unlessAborted } from './backoff.ts'
import { bareProperties, type CopyNotes, type CopyPurpose, copyProperties } from './headers.ts'
import type { Diagnosis, Settleable } from './outcome.ts'
import type { BridgeConfig, Delivery, Log, Publisher } from './ports.ts'
import { retryDelay, retryQueue } from './retry.ts'

const PUBLISH_DELAY: BackoffRange = { min: 200, max: 10_000 }

/** Characters of a worker's stderr that go into a log line. */
const LOGGED_STDERR = 2_048

/** One execution of one delivery, as every log line about it shows it; `attempt` is its number, from 1. */
export type Execution = Readonly<{
  deliveryTag: number
  executionId: string
  messageId: string | undefined
  attempt: number
}>

/** An execution that is over, for what that was. */
export type Ended = Execution & Readonly<{ durationMs: number }>

type Fields = Readonly<Record<string, unknown>>

/** A copy of a message on its way to a queue. */
interface Copy {
  readonly queue: string
  readonly purpose: CopyPurpose
  readonly notes: CopyNotes
  /** False once nobody needs it: the broker hands out the original again. */
  readonly needed: () => boolean
  readonly fields: Fields
}

/**
 * Settles deliveries in the order that loses nothing: a copy is in its new queue, routed and confirmed, before the
 * original is acked. Between the two a crash makes a duplicate, never a loss.
 */
export class Settlement {
  readonly #config: BridgeConfig
  readonly #publisher: Publisher
  readonly #signal: AbortSignal
  readonly #log: Log

  /** @param signal aborted when the daemon gives up: unsettled deliveries stay with the broker */
  constructor(config: BridgeConfig, publisher: Publisher, signal: AbortSignal, log: Log) {
    this.#config = config
    this.#publisher = publisher
    this.#signal = signal
    this.#log = log
  }

  /**
   * Resolves when the delivery is settled, or is the broker's again.
   *
   * @param acked when its request was in the socket: since then its session may have ended
   */
  async settle(delivery: Delivery, outcome: Settleable, ended: Ended, acked: boolean): Promise<void> {
    const fields = { ...ended, outcome: outcome.kind }
    if (!acked && !delivery.live) {
      this.#logUnsettled(outcome, fields)
      return
    }
    switch (outcome.kind) {
      case 'executed':
        delivery.ack()
        this.#log.info('Executed.', { ...fields, status: outcome.status })
        return
      case 'refused':
        delivery.ack()
        this.#log.warn('The worker answered, and not with success.', { ...fields, ...shown(outcome) })
        return
      case 'lost':
        delivery.ack()
        this.#log.error('Acked, and no complete answer: nobody knows whether it was executed.', {
          ...fields,
          ...shown(outcome),
        })
        return
      case 'retry': {
        const delayMs = retryDelay(ended.attempt, outcome.wanted, this.#config)
        const queue = retryQueue(this.#config.queue, delayMs)
        await this.#move(delivery, queue, 'execute', outcome, ended, 'To be executed again.', {
          ...fields,
          delayMs,
        })
        return
      }
      case 'dead-letter': {
        const { deadLetterQueue } = this.#config
        const more = { ...fields, deadLetterQueue }
        await this.#move(delivery, deadLetterQueue, 'dead-letter', outcome, ended, 'Dead-lettered.', more)
      }
    }
  }

  /**
   * Puts a message back into its queue that was acked when it was dispatched, and that no script has seen: not an attempt.
   * Until that has succeeded the message is nowhere but here.
   */
  async republish(delivery: Delivery, reason: string, execution: Execution): Promise<void> {
    const { queue } = this.#config
    const notes = { reason, attempt: execution.attempt - 1 }
    const fields = { ...execution, outcome: 'hold', queue, reason }
    const copied = await this.#publish(delivery, {
      queue,
      purpose: 'execute',
      notes,
      needed: () => true,
      fields,
    })
    if (copied) this.#log.warn('Not executed, though acked: put back into its queue.', fields)
    else
      this.#log.error('Not executed, though acked, and not put back in time: lost.', {
        ...fields,
        outcome: 'lost',
      })
  }

  #logUnsettled(outcome: Settleable, fields: Fields): void {
    if (outcome.kind === 'executed') {
      const message = 'Executed, but its session has ended: the broker delivers it again.'
      this.#log.warn(message, { ...fields, status: outcome.status })
    } else this.#log.warn('Not settled: the broker delivers it again.', { ...fields, ...shown(outcome) })
  }

  async #move(
    delivery: Delivery,
    queue: string,
    purpose: CopyPurpose,
    diagnosis: Diagnosis,
    { attempt, durationMs }: Ended,
    message: string,
    fields: Fields,
  ): Promise<void> {
    const notes = { ...diagnosis, attempt, durationMs }
    const all = { ...fields, ...shown(diagnosis) }
    if (await this.#publish(delivery, { queue, purpose, notes, needed: () => delivery.live, fields: all })) {
      delivery.ack()
      this.#log.warn(message, all)
    } else this.#log.warn('Not settled: the broker delivers it again.', all)
  }

  /**
   * Repeats until it succeeds.
   *
   * @returns false when the copy was not needed any more, or the daemon gives up
   */
  async #publish(delivery: Delivery, { queue, purpose, notes, needed, fields }: Copy): Promise<boolean> {
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

function shown({ reason, status, stderr }: Diagnosis): Fields {
  return { reason, status, stderr: stderr?.slice(0, LOGGED_STDERR) || undefined }
}

function isInvalidMessage(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'INVALID_MESSAGE'
}
