import type { FastCgiClient, FastCgiError } from '../fastcgi/client.ts'
import { executionsOf } from './headers.ts'
import { decide, type Outcome } from './outcome.ts'
import type { BridgeConfig, Delivery, Log } from './ports.ts'
import { type PreparedRequest, prepareRequest } from './request.ts'
import { isUnprocessable, type Result } from './result.ts'
import type { Ended, Execution } from './settle.ts'
import { UnprocessableError } from './unprocessable.ts'

/** What came of having one delivery executed. */
export interface Executed {
  readonly outcome: Outcome
  readonly ended: Ended
  /** Whether it was acked when its request was in the socket. */
  readonly acked: boolean
  /** Whether the pool ended the connection before the answer was complete. */
  readonly cutOff: boolean
}

/** Has deliveries executed, one request each; settles nothing but the ack that follows a dispatch. */
export class Executor {
  readonly #config: BridgeConfig
  readonly #client: FastCgiClient
  readonly #log: Log
  /** Acked when they were dispatched, and still executing. */
  readonly #acked = new Set<Execution>()
  readonly #brokenUploads = new WeakMap<Delivery, number>()

  constructor(config: BridgeConfig, client: FastCgiClient, log: Log) {
    this.#config = config
    this.#client = client
    this.#log = log
  }

  /**
   * Never rejects: whatever happens is an outcome.
   *
   * @param running resolves when a delivery that probes a hold is taken to be running. It is not acked before that:
   * each probe of a script that is missing would have to be published again
   */
  async execute(delivery: Delivery, running?: Promise<unknown>): Promise<Executed> {
    const execution: Execution = {
      deliveryTag: delivery.deliveryTag,
      executionId: crypto.randomUUID(),
      messageId: delivery.properties.messageId,
      attempt: Math.min(executionsOf(delivery) + 1, this.#config.maxAttempts),
    }
    const started = performance.now()
    let ended = false
    let acked = false
    const ack = (): void => {
      // Of a lost session it stays unacked, and the broker delivers it again.
      acked = delivery.live
      delivery.ack()
      if (acked) this.#acked.add(execution)
    }
    const onSent = (): void => {
      this.#log.debug('Dispatched.', execution)
      if (this.#config.ack !== 'dispatched') return
      if (running === undefined) ack()
      else void running.then(() => ended || ack())
    }
    const result = await this.#attempt(delivery, execution, onSent)
    ended = true
    this.#acked.delete(execution)
    const durationMs = Math.round(performance.now() - started)
    const outcome = decide(result, this.#config, execution.attempt, Date.now())
    // What cannot become a request has not been executed this time either.
    const attempt = execution.attempt - (isUnprocessable(result) ? 1 : 0)
    const cutOff = result.kind === 'failed' && result.error.code === 'CONNECTION_LOST'
    const { deliveryTag, executionId, messageId } = execution
    return { outcome, ended: { deliveryTag, executionId, messageId, attempt, durationMs }, acked, cutOff }
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
      prepared = prepareRequest(delivery, execution, this.#config)
    } catch (error) {
      const reason = error instanceof UnprocessableError ? error.message : `internal fault: ${String(error)}`
      return { kind: 'unprocessable', reason }
    }
    for (const warning of prepared.warnings) this.#log.warn(warning, execution)
    try {
      const { params, body } = prepared.request
      return { kind: 'answered', response: await this.#client.request({ params, body, onSent }) }
    } catch (error) {
      return this.#failed(delivery, error as FastCgiError)
    }
  }

  #failed(delivery: Delivery, error: FastCgiError): Result {
    const brokenUploads = (this.#brokenUploads.get(delivery) ?? 0) + (error.phase === 'send' ? 1 : 0)
    if (brokenUploads > 0) this.#brokenUploads.set(delivery, brokenUploads)
    return { kind: 'failed', error, brokenUploads }
  }
}
