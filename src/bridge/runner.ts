import type { FastCgiClient, FastCgiError } from '../fastcgi/types.ts'
import { UnprocessableError } from '../payload/unprocessable.ts'
import type { Tell } from './events.ts'
import type { Execution } from './execution.ts'
import { decide, type Outcome } from './outcome.ts'
import { PoolClock } from './pool-clock.ts'
import type { BridgePolicy } from './ports.ts'
import { type PreparedRequest, prepareRequest } from './request.ts'
import { hasDroppedFields, isUnread, MAX_UNREAD, type Result } from './result.ts'

/** What came of an execution, and what that means. */
export interface ExecutionReport {
  readonly execution: Execution
  readonly result: Result
  readonly outcome: Outcome
}

/** Runs executions: has the pool answer one request each, or two. Settles nothing but the ack that follows a dispatch. */
export class Runner {
  readonly #config: BridgePolicy
  readonly #client: FastCgiClient
  readonly #tell: Tell
  readonly #poolClock: PoolClock

  constructor(config: BridgePolicy, client: FastCgiClient, tell: Tell) {
    this.#config = config
    this.#client = client
    this.#tell = tell
    this.#poolClock = new PoolClock(tell)
  }

  /** Never rejects: whatever happens is an outcome. */
  async run(execution: Execution): Promise<ExecutionReport> {
    execution.start()
    const { timestamp } = execution.delivery.properties
    this.#tell({ kind: 'started', execution, timestamp })
    const result = await this.#resultOf(execution)
    execution.finish(result)
    const outcome = decide(result, this.#config, execution.attempt, Date.now())
    if (outcome.kind === 'executed') this.#tellOfStderr(execution, result)
    return { execution, result, outcome }
  }

  async #resultOf(execution: Execution): Promise<Result> {
    let prepared: PreparedRequest
    try {
      const preparing = prepareRequest(execution, this.#config)
      prepared = preparing instanceof Promise ? await preparing : preparing
    } catch (error) {
      const reason = error instanceof UnprocessableError ? error.message : `internal fault: ${String(error)}`
      return { kind: 'unprocessable', reason }
    }
    for (const { param, why } of prepared.leftOut) {
      this.#tell({ kind: 'param-left-out', execution, param, why })
    }
    const result = await this.#send(execution, prepared, false)
    // Nobody has read it: the connection had been kept for too long, or its child was just going. Once more, at once.
    const again = result.kind === 'failed' && result.error.phase === 'unread' && result.unread < MAX_UNREAD
    return again ? this.#send(execution, prepared, true) : result
  }

  async #send(
    execution: Execution,
    { request: { params, body } }: PreparedRequest,
    fresh: boolean,
  ): Promise<Result> {
    try {
      const onSent = (): void => this.#onSent(execution)
      const response = await this.#client.request({ params, body, onSent, fresh })
      const { status, timings } = response
      this.#tell({ kind: 'answered', execution, status, timings })
      this.#poolClock.check(response)
      return { kind: 'answered', response }
    } catch (error) {
      return this.#failed(execution, error as FastCgiError)
    }
  }

  /** From here on it may be executed, whatever happens to the bridge. */
  #onSent(execution: Execution): void {
    this.#tell({ kind: 'sent', execution })
    execution.onSent?.()
    if (this.#config.ack !== 'dispatched') return
    if (execution.running === undefined) execution.ack()
    // Each probe of a script that is missing would have to be published again.
    else void execution.running.then(() => execution.over || execution.ack())
  }

  #failed(execution: Execution, error: FastCgiError): Result {
    const { code, phase } = error
    this.#tell({ kind: 'failed', execution, code, phase })
    const result = { kind: 'failed', error, unread: 0 } as const
    // With `completed`, what breaks off in the middle counts each time: not once more with the third.
    const counts = this.#config.ack === 'completed' && error.phase === 'send'
    return counts || !isUnread(result) ? result : { ...result, unread: execution.leftUnread() }
  }

  /** Of a success: nobody else would look at it. */
  #tellOfStderr(execution: Execution, result: Result): void {
    if (result.kind !== 'answered' || result.response.stderr === '') return
    const { stderr } = result.response
    const dropped = this.#config.payload === 'form' && hasDroppedFields(result)
    this.#tell({ kind: dropped ? 'fields-dropped' : 'stderr-written', execution, stderr })
  }
}
