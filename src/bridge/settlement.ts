import type { CopyPurpose } from './copy-headers.ts'
import { type Diagnosis, diagnosisFields } from './diagnosis.ts'
import { deliveryCountOf, executionsOf } from './headers.ts'
import type { FinalOutcome } from './outcome.ts'
import type { BridgePolicy, Delivery, Intake, Log, Publisher } from './ports.ts'
import { Republisher } from './republisher.ts'
import { restingQueues, retryDelay } from './retry.ts'
import type { Copy } from './tries.ts'

/** One execution of one delivery, as every log line about it shows it; `attempt` is its number, from 1. */
export type Execution = Readonly<{
  deliveryTag: number
  executionId: string
  messageId: string | undefined
  correlationId: string | undefined
  /** The message's, as its publisher set it. */
  type: string | undefined
  attempt: number
}>

/** An execution that is over, for what that was. `unread`: see CopyNotes. */
export type FinishedExecution = Execution & Readonly<{ durationMs: number; unread: number }>

type Fields = Readonly<Record<string, unknown>>

/**
 * Settles deliveries in the order that loses nothing: a copy is in its new queue, routed and confirmed, before the
 * original is acked. Between the two a crash makes a duplicate, never a loss.
 */
export class Settlement {
  readonly #config: BridgePolicy
  readonly #republisher: Republisher
  readonly #log: Log

  /** @param signal aborted when the daemon gives up: unsettled deliveries stay with the broker */
  constructor(config: BridgePolicy, publisher: Publisher, intake: Intake, signal: AbortSignal, log: Log) {
    this.#config = config
    this.#republisher = new Republisher(config, publisher, intake, signal, log)
    this.#log = log
  }

  /**
   * @returns resolves when the delivery is settled, or is the broker's again; undefined when that is so at once
   * @param acked when its request was in the socket: since then its session may have ended
   */
  settle(
    delivery: Delivery,
    outcome: FinalOutcome,
    ended: FinishedExecution,
    acked: boolean,
  ): Promise<void> | undefined {
    const { deliveryTag, executionId, messageId, correlationId, type, attempt, durationMs } = ended
    const { kind, status, subject } = outcome
    // Written out, as wherever each message passes: Node.js 20 makes a hidden class anew for each spread with something added.
    const fields = {
      deliveryTag,
      executionId,
      messageId,
      correlationId,
      type,
      subject,
      attempt,
      durationMs,
      outcome: kind,
      status,
    }
    if (!acked && !delivery.live) {
      this.#logUnsettled(outcome, fields)
      return undefined
    }
    switch (outcome.kind) {
      case 'executed':
        delivery.ack()
        this.#log.info('Executed.', fields)
        return undefined
      case 'refused':
        delivery.ack()
        this.#log.warn('The worker answered, and not with success.', {
          ...fields,
          ...diagnosisFields(outcome),
        })
        return undefined
      case 'lost':
        delivery.ack()
        this.#log.error('Acked, and no complete answer: nobody knows whether it was executed.', {
          ...fields,
          ...diagnosisFields(outcome),
        })
        return undefined
      case 'retry': {
        const delayMs = retryDelay(ended.attempt, outcome.retryAfterMs, this.#config)
        return this.#move(
          delivery,
          acked,
          restingQueues(delayMs, this.#config),
          'execute',
          outcome,
          ended,
          'To be executed again.',
          {
            ...fields,
            delayMs,
          },
        )
      }
      case 'dead-letter': {
        const { deadLetterQueue } = this.#config
        const more = { ...fields, deadLetterQueue }
        return this.#move(
          delivery,
          acked,
          [deadLetterQueue],
          'dead-letter',
          outcome,
          ended,
          'Dead-lettered.',
          more,
        )
      }
    }
  }

  /**
   * Puts a message back into its queue that was acked when it was dispatched, and that no script has seen: not an attempt.
   * Until that has succeeded the message is nowhere but here.
   */
  async republish(
    delivery: Delivery,
    { reason, subject }: Diagnosis,
    { unread, durationMs: _, ...execution }: FinishedExecution,
  ): Promise<void> {
    const { queue } = this.#config
    const notes = { reason, attempt: execution.attempt - 1, unread }
    const fields = { ...execution, subject, outcome: 'hold', queue, reason }
    const fate = await this.#republisher.publish(delivery, {
      queue,
      purpose: 'execute',
      notes,
      acked: true,
      fields,
    })
    if (fate === 'published') this.#log.warn('Not executed, though acked: put back into its queue.', fields)
    else
      this.#log.error('Not executed, though acked, and not put back in time: lost.', {
        ...fields,
        outcome: 'lost',
      })
  }

  /**
   * Puts a message back into its queue as a new one: nobody has counted yet how often that has come back. Not an attempt.
   *
   * @returns whether that was done; if not, and the delivery is live, it may as well be executed. Its queue may be full, and who
   * published it may have made up how often it has come back
   */
  async renew(delivery: Delivery): Promise<boolean> {
    const { queue } = this.#config
    const { deliveryTag, properties } = delivery
    const reason = `it has come back ${deliveryCountOf(delivery)} times, and a quorum queue drops what does so too often`
    const notes = { reason, attempt: executionsOf(delivery) }
    const fields = { deliveryTag, messageId: properties.messageId, queue, reason }
    const copy: Copy = { queue, purpose: 'execute', notes, acked: false, fields }
    if (!(await this.#republisher.publishSoon(delivery, copy))) return false
    delivery.ack()
    this.#log.warn('Put back into its queue as a new message.', fields)
    return true
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

  #logUnsettled(outcome: FinalOutcome, fields: Fields): void {
    if (outcome.kind === 'executed') {
      const message = 'Executed, but its session has ended: the broker delivers it again.'
      this.#log.warn(message, { ...fields, status: outcome.status })
    } else
      this.#log.warn('Not settled: the broker delivers it again.', { ...fields, ...diagnosisFields(outcome) })
  }

  async #move(
    delivery: Delivery,
    acked: boolean,
    [queue, ...spare]: readonly [string, ...string[]],
    purpose: CopyPurpose,
    diagnosis: Diagnosis,
    { attempt, durationMs, unread }: FinishedExecution,
    message: string,
    fields: Fields,
  ): Promise<void> {
    const notes = { ...diagnosis, attempt, durationMs, unread }
    const all = { ...fields, ...diagnosisFields(diagnosis) }
    const copy: Copy = { queue, spare, purpose, notes, acked, fields: all }
    const fate = await this.#republisher.publish(delivery, copy)
    if (fate === 'published') {
      delivery.ack()
      this.#log.warn(message, all)
    } else if (fate === 'left') this.#log.warn('Not settled: the broker delivers it again.', all)
  }
}
