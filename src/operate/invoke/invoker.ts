import type { Tell } from '../../bridge/events.ts'
import { Execution } from '../../bridge/execution.ts'
import { type ExecutionReport, Runner } from '../../bridge/runner.ts'
import type { BridgeConfig } from '../../config/bridge-config.ts'
import { createClient } from '../../daemon/pool-client.ts'
import type { FastCgiClient, FastCgiResponse } from '../../fastcgi/types.ts'
import { deliveryOf, type InvokedMessage } from './invoked-delivery.ts'
import { type Verdict, verdictOf } from './verdict.ts'

/** What came of a message that was invoked. */
export interface Invoked {
  readonly messageId: string | undefined
  readonly executionId: string
  /** Its number, as the worker was told. */
  readonly attempt: number
  /** Undefined where there is no complete one: the verdict's reason says why. */
  readonly answer: FastCgiResponse | undefined
  /** Milliseconds from the first look at the message to the answer, or to the failure. */
  readonly totalMs: number
  readonly verdict: Verdict
  /** What a daemon would warn of in its log. */
  readonly warnings: readonly string[]
}

/** How far somebody went who invokes: `stopped` before the answer came. */
export type InvokeEnd = Invoked | 'stopped'

/**
 * Has the pool of a bridge execute messages that no broker has: with the request that a daemon with this configuration would send. Nothing
 * is consumed, published or acked.
 */
export class Invoker {
  readonly #config: BridgeConfig
  readonly #client: FastCgiClient
  readonly #stopped: Promise<'stopped'>

  /**
   * @param version of fpm-bridge, which the worker is told
   * @param signal ends everything at once: connections are closed, and php-fpm ends a script at its next output, or never
   */
  constructor(config: BridgeConfig, version: string, signal: AbortSignal) {
    this.#config = config
    const client = createClient(config, version)
    this.#client = {
      request: (request) => client.request({ ...request, signal }),
      probe: () => client.probe(),
      close: () => client.close(),
    }
    this.#stopped = whenStopped(signal)
  }

  /** Never rejects: whatever happens to the request has an outcome. */
  async invoke(message: InvokedMessage): Promise<InvokeEnd> {
    const config = this.#config
    const execution = new Execution(deliveryOf(message, config), config)
    const { attempt } = execution
    const warnings: string[] = []
    const runner = new Runner(config, this.#client, collect(warnings))
    const report = await Promise.race([runner.run(execution), this.#stopped])
    return report === 'stopped' ? report : this.#invoked(report, attempt, warnings)
  }

  /** Closes what is kept open between requests. Idempotent. */
  close(): void {
    this.#client.close()
  }

  #invoked(report: ExecutionReport, attempt: number, warnings: readonly string[]): Invoked {
    const { execution, result } = report
    const { messageId, executionId, durationMs } = execution
    return {
      messageId,
      executionId,
      attempt,
      answer: result.kind === 'answered' ? result.response : undefined,
      totalMs: durationMs,
      verdict: verdictOf(report, this.#config),
      warnings,
    }
  }
}

/** Resolves when the signal is aborted. */
export function whenStopped(signal: AbortSignal): Promise<'stopped'> {
  return new Promise((resolve) => {
    const stop = (): void => resolve('stopped')
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}

function collect(warnings: string[]): Tell {
  return (event) => {
    switch (event.kind) {
      case 'param-left-out':
        warnings.push(`${event.param} is left out: ${event.why}`)
        break
      case 'fields-dropped':
        warnings.push(
          'PHP has dropped fields of the form: raise the limit that stderr names, or take --payload raw',
        )
        break
      case 'clock-differs':
        warnings.push(`the clock of the worker is ${event.aheadSeconds} s ahead of ours`)
        break
      default:
    }
  }
}
