import { setImmediate as turn } from 'node:timers/promises'
import { BrokerList } from '../amqp/broker-list.ts'
import { QueueAges } from '../amqp/queue-ages.ts'
import type { Log } from '../bridge/ports.ts'
import type { ProcessConfig } from '../config/process-config.ts'
import type { RunConfig } from '../config/run-config.ts'
import { Bridge } from './bridge.ts'

type State =
  | { readonly kind: 'starting' | 'running' | 'stopped' }
  | { readonly kind: 'draining'; readonly end: Promise<DrainEnd> }

/** Whether everything in flight was settled before the drain timeout. */
export type DrainEnd = 'drained' | 'overdue'

/**
 * The process and its bridges: starts them, and ends them together.
 *
 * starting -> running -> draining -> stopped
 */
export class Daemon {
  readonly #process: ProcessConfig
  readonly #log: Log
  readonly #bridges: readonly Bridge[]
  #abort: () => void = () => {}
  #state: State = { kind: 'starting' }

  constructor({ process, bridges }: RunConfig, log: Log, version: string) {
    this.#process = process
    this.#log = log
    const surroundings = { process, ages: new QueueAges(true), version }
    this.#bridges = bridges.map((config) => new Bridge(config, surroundings, log))
  }

  /**
   * Resolves when all bridges consume, or when drained before it came to that. Broker and pools may be away:
   * they are waited for.
   *
   * @throws {BrokerError} when waiting makes no sense: the broker refuses what the configuration asks for
   */
  async start(): Promise<void> {
    new BrokerList(this.#process.brokers, this.#log).warnOfInsecure()
    await Promise.all(this.#bridges.map((bridge) => bridge.start()))
    if (this.#state.kind === 'starting') this.#state = { kind: 'running' }
  }

  /**
   * Stops consuming, hands back what has not started, and lets what is in flight finish. After the drain timeout
   * the rest is left unacked. Idempotent: a second call waits for the same end.
   */
  drain(): Promise<DrainEnd> {
    if (this.#state.kind === 'draining') return this.#state.end
    if (this.#state.kind === 'stopped') return Promise.resolve('drained')
    const end = this.#drain()
    this.#state = { kind: 'draining', end }
    return end
  }

  /** Ends a drain as its timeout does: what is not settled by now is given up. Idempotent. */
  abortDrain(): void {
    this.#abort()
  }

  async #drain(): Promise<DrainEnd> {
    const { drainTimeout } = this.#process
    this.#log.info('Draining.', { inFlight: this.#inFlight, drainTimeoutMs: drainTimeout })
    const overdue = new Promise<DrainEnd>((resolve) => {
      this.#abort = () => {
        for (const bridge of this.#bridges) bridge.abortDrain()
        resolve('overdue')
      }
    })
    const timer = setTimeout(this.#abort, drainTimeout)
    const drained = Promise.all(this.#bridges.map((bridge) => bridge.drain()))
    const end = await Promise.race([drained.then((): DrainEnd => 'drained'), overdue])
    clearTimeout(timer)
    // What is given up says so in this turn, each message by its id; the process ends after it.
    await turn()
    this.#state = { kind: 'stopped' }
    if (end === 'drained') this.#log.info('Stopped.', this.#counts)
    else {
      for (const bridge of this.#bridges) bridge.logAbandoned()
      this.#log.error('Stopped before all was done: what is unacked will be delivered again.', {
        ...this.#counts,
        inFlight: this.#inFlight,
      })
    }
    return end
  }

  get #inFlight(): number {
    return this.#bridges.reduce((sum, { inFlight }) => sum + inFlight, 0)
  }

  /** Of all bridges together. */
  get #counts(): Readonly<Record<string, number>> {
    const sum: Record<string, number> = {}
    for (const { counts } of this.#bridges) {
      for (const [outcome, count] of Object.entries(counts)) sum[outcome] = (sum[outcome] ?? 0) + count
    }
    return sum
  }
}
