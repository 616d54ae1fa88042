import type { FastCgiClient, FastCgiError } from '../fastcgi/types.ts'
import { UnprocessableError } from '../payload/unprocessable.ts'
import { diagnosisFields } from './diagnosis.ts'
import { executionsOf, unreadOf } from './headers.ts'
import { decide, type Outcome } from './outcome.ts'
import { PoolClock } from './pool-clock.ts'
import type { BridgePolicy, Delivery, Log } from './ports.ts'
import { type PreparedRequest, prepareRequest } from './request.ts'
import { failedIn, hasDroppedFields, isUnprocessable, isUnread, MAX_UNREAD, type Result } from './result.ts'
import type { Execution, FinishedExecution } from './settlement.ts'

/** What came of having one delivery executed. */
export interface ExecutionReport {
  readonly outcome: Outcome
  readonly ended: FinishedExecution
  /** When it was begun, by `performance.now()`. */
  readonly startedAt: number
  /** Whether a script has answered. */
  readonly answered: boolean
  /** Whether a script may have begun. */
  readonly began: boolean
  /** Whether it was acked when its request was in the socket. */
  readonly acked: boolean
  /** Whether the pool ended the connection before the answer was complete. */
  readonly cutOff: boolean
}

/** Has deliveries executed, one request each; settles nothing but the ack that follows a dispatch. */
export class Executor {
  readonly #config: BridgePolicy
  readonly #client: FastCgiClient
  readonly #log: Log
  /** Acked when they were dispatched, and still executing. */
  readonly #acked = new Set<Execution>()
  readonly #unread = new WeakMap<Delivery, number>()
  readonly #poolClock: PoolClock

  constructor(config: BridgePolicy, client: FastCgiClient, log: Log) {
    this.#config = config
    this.#client = client
    this.#log = log
    this.#poolClock = new PoolClock(log)
  }

  /**
   * Never rejects: whatever happens is an outcome.
   *
   * @param running resolves when a delivery that probes a hold is taken to be running. It is not acked before that:
   * each probe of a script that is missing would have to be published again
   */
  async execute(delivery: Delivery, running?: Promise<unknown>): Promise<ExecutionReport> {
    const execution: Execution = {
      deliveryTag: delivery.deliveryTag,
      executionId: crypto.randomUUID(),
      messageId: delivery.properties.messageId,
      correlationId: delivery.properties.correlationId,
      type: delivery.properties.type,
      attempt: Math.min(executionsOf(delivery) + 1, this.#config.maxAttempts),
    }
    const startedAt = performance.now()
    let over = false
    let acked = false
    const ack = (): void => {
      // Once is enough: what was left unread is sent again, and its session may have ended meanwhile.
      if (acked) return
      // Of a lost session it stays unacked, and the broker delivers it again.
      acked = delivery.live
      delivery.ack()
      if (acked) this.#acked.add(execution)
    }
    const onSent = (): void => {
      this.#log.debug('Dispatched.', execution)
      if (this.#config.ack !== 'dispatched') return
      if (running === undefined) ack()
      else void running.then(() => over || ack())
    }
    const result = await this.#attempt(delivery, execution, onSent)
    over = true
    this.#acked.delete(execution)
    const durationMs = Math.round(performance.now() - startedAt)
    const unread = isUnread(result) && result.kind === 'failed' ? result.unread : 0
    // With the last one in a row that was left unread, those before it count, too.
    const ordinal = execution.attempt + (unread === MAX_UNREAD ? MAX_UNREAD - 1 : 0)
    const outcome = decide(result, this.#config, ordinal, Date.now())
    // What cannot become a request has not been executed this time either.
    const attempt = ordinal - (isUnprocessable(result) ? 1 : 0)
    const answered = result.kind === 'answered'
    const began = answered || failedIn('receive')(result)
    const cutOff = result.kind === 'failed' && result.error.code === 'CONNECTION_LOST'
    const { deliveryTag, executionId, messageId, correlationId, type } = execution
    if (outcome.kind === 'executed' && hasDroppedFields(result)) this.#warnOfDroppedFields(execution, result)
    const ended = { deliveryTag, executionId, messageId, correlationId, type, attempt, durationMs, unread }
    return { outcome, ended, startedAt, answered, began, acked, cutOff }
  }

  /** It was left unread since the pool was gone, or dying: that does not count. */
  forgive(delivery: Delivery): void {
    this.#unread.set(delivery, 0)
  }

  /** To be called when nobody waits any longer: each message that the broker will not deliver again, by its id. */
  giveUp(): void {
    for (const execution of this.#acked) {
      const fields = { ...execution, outcome: 'lost' }
      this.#log.error('Acked, and still executing: nobody will know what becomes of it.', fields)
    }
  }

  async #attempt(delivery: Delivery, execution: Execution, onSent: () => void): Promise<Result> {
    let prepared: PreparedRequest
    try {
      const preparing = prepareRequest(delivery, execution, this.#config)
      prepared = preparing instanceof Promise ? await preparing : preparing
    } catch (error) {
      const reason = error instanceof UnprocessableError ? error.message : `internal fault: ${String(error)}`
      return { kind: 'unprocessable', reason }
    }
    for (const warning of prepared.warnings) this.#log.warn(warning, execution)
    const result = await this.#send(delivery, prepared, onSent, false)
    // Nobody has read it: the connection had been kept for too long, or its child was just going. Once more, at once.
    const again = result.kind === 'failed' && result.error.phase === 'unread' && result.unread < MAX_UNREAD
    return again ? this.#send(delivery, prepared, onSent, true) : result
  }

  async #send(
    delivery: Delivery,
    { request: { params, body } }: PreparedRequest,
    onSent: () => void,
    fresh: boolean,
  ): Promise<Result> {
    try {
      const response = await this.#client.request({ params, body, onSent, fresh })
      this.#poolClock.check(response)
      return { kind: 'answered', response }
    } catch (error) {
      return this.#failed(delivery, error as FastCgiError)
    }
  }

  #warnOfDroppedFields(execution: Execution, result: Result): void {
    if (this.#config.payload !== 'form' || result.kind !== 'answered') return
    const { stderr } = result.response
    this.#log.warn(
      'The worker says success, and PHP had dropped fields of its form: raise the limit that stderr names, or take --payload raw.',
      { ...execution, ...diagnosisFields({ stderr }) },
    )
  }

  #failed(delivery: Delivery, error: FastCgiError): Result {
    const unread = {
      kind: 'failed',
      error,
      unread: (this.#unread.get(delivery) ?? unreadOf(delivery)) + 1,
    } as const
    // With `completed`, what breaks off in the middle counts each time: not once more with the third.
    const counts = this.#config.ack === 'completed' && error.phase === 'send'
    if (counts || !isUnread(unread)) return { ...unread, unread: 0 }
    this.#unread.set(delivery, unread.unread)
    return unread
  }
}
