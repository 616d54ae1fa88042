import type { Diagnosis } from './diagnosis.ts'
import type { Tell } from './events.ts'
import type { Execution } from './execution.ts'
import type { OutcomeCopy } from './facts.ts'
import type { FinalOutcome } from './outcome.ts'
import type { BridgePolicy, Delivery, Intake, Publisher } from './ports.ts'
import { Republisher } from './republisher.ts'
import { restingQueues, retryDelay } from './retry.ts'
import type { Copy } from './tries.ts'

/**
 * Settles deliveries in the order that loses nothing: a copy is in its new queue, routed and confirmed, before the
 * original is acked. Between the two a crash makes a duplicate, never a loss.
 */
export class Settlement {
  readonly #config: BridgePolicy
  readonly #republisher: Republisher
  readonly #tell: Tell

  /** @param signal aborted when the daemon gives up: unsettled deliveries stay with the broker */
  constructor(config: BridgePolicy, publisher: Publisher, intake: Intake, signal: AbortSignal, tell: Tell) {
    this.#config = config
    this.#republisher = new Republisher(config, publisher, intake, signal, tell, (copy, queue, parked) =>
      this.#onPublished(copy, queue, parked),
    )
    this.#tell = tell
  }

  /** @returns resolves when the delivery is settled, or is the broker's again; undefined when that is so at once */
  settle(execution: Execution, outcome: FinalOutcome): Promise<void> | undefined {
    if (!execution.settleable) {
      this.#tell({ kind: 'unsettled', execution, outcome, copy: undefined })
      return undefined
    }
    switch (outcome.kind) {
      case 'executed':
      case 'refused':
        execution.ack()
        this.#tell({ kind: 'settled', by: 'ack', execution, outcome })
        return undefined
      case 'lost':
        execution.ack()
        this.#tell({ kind: 'lost', why: 'no-answer', execution, diagnosis: outcome })
        return undefined
      case 'retry': {
        const delayMs = retryDelay(execution.attempt, outcome.retryAfterMs, this.#config)
        const queues = restingQueues(delayMs, this.#config)
        return this.#move({ purpose: 'retry', execution, outcome, delayMs }, execution, queues)
      }
      case 'dead-letter': {
        const { deadLetterQueue } = this.#config
        const copy = { purpose: 'dead-letter', execution, outcome, deadLetterQueue } as const
        return this.#move(copy, execution, [deadLetterQueue])
      }
    }
  }

  /**
   * Puts a message back into its queue that was acked when it was dispatched, and that no script has seen: not an attempt.
   * Until that has succeeded the message is nowhere but here.
   */
  async putBack(execution: Execution, { reason, subject }: Diagnosis): Promise<void> {
    const { queue } = this.#config
    const { unread, attempt } = execution
    const made = { purpose: 'put-back', execution, queue, reason, subject } as const
    const notes = { reason, attempt: attempt - 1, unread }
    const fate = await this.#republisher.publish({ execution, made, queue, spare: [], notes })
    if (fate !== 'published') this.#tell({ kind: 'lost', why: 'not-put-back', copy: made })
  }

  /**
   * Puts a message back into its queue as a new one: nobody has counted yet how often that has come back. Not an attempt.
   *
   * @returns whether that was done; if not, and the delivery is live, it may as well be executed. Its queue may be full, and who
   * published it may have made up how often it has come back
   */
  resetDeliveryCount(execution: Execution): Promise<boolean> {
    const { queue } = this.#config
    const { deliveryTag, messageId, history } = execution
    const reason = `it has come back ${history.deliveryCount} times, and a quorum queue drops what does so too often`
    const made = { purpose: 'reset-delivery-count', deliveryTag, messageId, queue, reason } as const
    const notes = { reason, attempt: history.executions }
    return this.#republisher.publishSoon({ execution, made, queue, spare: [], notes })
  }

  /** @returns whether the message was executed before, and only its copy could not be published: it is not to be executed again */
  takeBack(delivery: Delivery): boolean {
    return this.#republisher.takeBack(delivery)
  }

  /** The broker has ended a session since a delivery was unacked for so many milliseconds: what is parked goes back earlier. */
  shorten(consumerTimeout: number): void {
    this.#republisher.shorten(consumerTimeout)
  }

  /** Hands back what is executed and cannot be settled; to be called when no more deliveries are executed. */
  drain(): void {
    this.#republisher.drain()
  }

  async #move(
    made: OutcomeCopy,
    execution: Execution,
    [queue, ...spare]: readonly [string, ...string[]],
  ): Promise<void> {
    const { attempt, unread } = execution
    const durationMs = Math.round(execution.durationMs)
    const notes = { ...made.outcome, attempt, durationMs, unread }
    const fate = await this.#republisher.publish({ execution, made, queue, spare, notes })
    if (fate !== 'left') return
    if (execution.acked) this.#tell({ kind: 'lost', why: 'not-copied', copy: made })
    else this.#tell({ kind: 'unsettled', execution, outcome: made.outcome, copy: made })
  }

  /** The copy is safe: now the original may go. */
  #onPublished({ execution, made }: Copy, copyTo: string, parked: number | undefined): void {
    const acked = execution.ack()
    switch (made.purpose) {
      case 'retry':
      case 'dead-letter': {
        const { outcome } = made
        this.#tell({ kind: 'settled', by: 'copy', execution, outcome, copy: made, copyTo, acked, parked })
        break
      }
      case 'put-back':
        this.#tell({ kind: 'put-back', copy: made })
        break
      case 'reset-delivery-count':
        this.#tell({ kind: 'delivery-count-reset', copy: made })
        break
    }
  }
}
