import { setImmediate as turn } from 'node:timers/promises'
import { BrokerList } from '../amqp/broker-list.ts'
import { Connections } from '../amqp/connections.ts'
import { QueueAges } from '../amqp/queue-ages.ts'
import type { Tell } from '../bridge/events.ts'
import type { BridgeConfig } from '../config/bridge-config.ts'
import { demandsOf } from '../config/pool-demands.ts'
import type { ProcessConfig } from '../config/process-config.ts'
import type { RunConfig } from '../config/run-config.ts'
import type { Counts } from '../observe/counters.ts'
import { logLines } from '../observe/log-lines.ts'
import type { Logger } from '../observe/logger.ts'
import type { ProcessView } from '../observe/views.ts'
import { Bridge } from './bridge.ts'
import { Bridges } from './bridges.ts'
import type { Control } from './control.ts'
import { type DaemonObserver, openObserver } from './observer.ts'
import { PoolWatches } from './pool-watch.ts'
import { describePool } from './pools.ts'
import { keptOptions } from './reload.ts'
import type { SupervisorLink } from './supervisor-link.ts'
import type { ProcessConnections, Surroundings } from './surroundings.ts'

type State =
  | { readonly kind: 'running' | 'stopped' }
  | { readonly kind: 'draining'; readonly end: Promise<DrainEnd> }

/** Whether everything in flight was settled before the drain timeout. */
export type DrainEnd = 'drained' | 'overdue'

/** What looks at a process as a whole. */
export interface DaemonWatch {
  /** Hears what all bridges tell. */
  readonly tell: Tell
  /** How many deliveries ended in which way, of all bridges that there have been. */
  readonly counts: Counts
  /** Nothing more will be told; the last line of the log is still to come. */
  ended(): void
  /** The configuration as operators may see it, without secrets. */
  printConfig(): unknown
  /** To the supervisor of the process, if it has one: who wants to see the process asks there. */
  readonly link?: SupervisorLink | undefined
  /** Operators want the configuration to be read again. Resolves with why that has not been done, when it has not. */
  reload(): Promise<string | undefined>
  /** Operators want the process to end. */
  shutDown(): void
}

/**
 * One process: starts its bridges, takes new configurations for them, and ends them together.
 *
 * running -> draining -> stopped
 */
export class Daemon {
  readonly #log: Logger
  readonly #bridges: Bridges
  readonly #version: string
  readonly #pools = new PoolWatches()
  #observer: DaemonObserver | undefined
  readonly #connections: ProcessConnections
  #control: Control | undefined
  readonly #watch: DaemonWatch
  #config: RunConfig
  #abort: () => void = () => {}
  #deadline: NodeJS.Timeout | undefined
  #state: State = { kind: 'running' }

  constructor(config: RunConfig, log: Logger, version: string, watch: DaemonWatch) {
    this.#config = config
    this.#log = log
    this.#version = version
    this.#watch = watch
    const { process } = config
    this.#connections = {
      consuming: new Connections(process.daemonId),
      publishing: new Connections(`${process.daemonId} publisher`),
    }
    const daemon = this
    const surroundings: Surroundings = {
      process,
      ages: new QueueAges(true),
      connections: this.#connections,
      version,
      subscriber: (queue) => this.#observer?.subscriber(queue),
      watch: watch.tell,
      get control() {
        return daemon.#control
      },
    }
    this.#bridges = new Bridges(
      (bridge, adoptElsewhere) =>
        new Bridge(bridge, surroundings, adoptElsewhere, log.with(inLinesOf(bridge))),
      log,
    )
  }

  /**
   * Resolves when all bridges consume, or when drained before it came to that. Broker and pools may be away:
   * they are waited for.
   *
   * @throws {BrokerError} when waiting makes no sense: the broker refuses what the configuration asks for
   * @throws {OptionError} when nobody can listen at --admin
   */
  async start(): Promise<void> {
    const { process, bridges } = this.#config
    // Before anything is consumed: what cannot be watched is not to run.
    this.#observer = await openObserver(process.admin, this.#watch.link, this.view, this.#log)
    await this.#openControl()
    if (this.#state.kind !== 'running') return
    new BrokerList(process.brokers, logLines(this.#log)).warnOfInsecure()
    this.#describePools(bridges)
    await this.#bridges.start(bridges)
  }

  /**
   * Takes another configuration: bridges start, are replaced, or end; those that stay the same are not touched. Resolves when all that
   * are new consume, or the log says why they do not.
   */
  async reload(config: RunConfig): Promise<void> {
    if (this.#state.kind !== 'running') return
    const kept = keptOptions(this.#config.process, config.process)
    if (kept.length > 0)
      this.#log.warn('Kept until a restart: these options belong to the process.', { options: kept })
    const process: ProcessConfig = { ...this.#config.process, drainTimeout: config.process.drainTimeout }
    this.#config = { process, bridges: config.bridges }
    this.#describePools(config.bridges)
    await this.#bridges.change(config.bridges)
  }

  /** How many bridges have not ended. */
  get size(): number {
    return this.#bridges.size
  }

  /** What can be seen of it, at any moment. */
  get view(): ProcessView {
    const daemon = this
    return {
      daemonId: this.#config.process.daemonId,
      version: this.#version,
      get draining() {
        return daemon.#state.kind !== 'running'
      },
      get bridges() {
        return daemon.#bridges.views
      },
      get pools() {
        return daemon.#pools.of(daemon.#config.bridges)
      },
      get config() {
        return daemon.#watch.printConfig()
      },
    }
  }

  /**
   * Stops consuming, hands back what has not started, and lets what is in flight finish. After the drain timeout
   * the rest is left unacked. Idempotent: a second call waits for the same end.
   */
  drain(): Promise<DrainEnd> {
    const { drainTimeout } = this.#config.process
    const end = this.#finish({ drain_timeout_ms: drainTimeout })
    if (this.#state.kind === 'draining') this.#deadline ??= setTimeout(() => this.#abort(), drainTimeout)
    return end
  }

  /** The same, however long executions take: nobody waits for this end. A drain bounds it. */
  retire(): Promise<DrainEnd> {
    return this.#finish({})
  }

  /** Ends a drain as its timeout does: what is not settled by now is given up. Idempotent. */
  abortDrain(): void {
    this.#abort()
  }

  #finish(limit: Readonly<Record<string, unknown>>): Promise<DrainEnd> {
    if (this.#state.kind === 'draining') return this.#state.end
    if (this.#state.kind === 'stopped') return Promise.resolve('drained')
    this.#log.info('Draining.', { in_flight: this.#bridges.inFlight, ...limit })
    const end = this.#end()
    this.#state = { kind: 'draining', end }
    return end
  }

  async #end(): Promise<DrainEnd> {
    const overdue = new Promise<DrainEnd>((resolve) => {
      this.#abort = () => {
        this.#bridges.abortDrain()
        resolve('overdue')
      }
    })
    const end = await Promise.race([this.#bridges.drain().then((): DrainEnd => 'drained'), overdue])
    clearTimeout(this.#deadline)
    // What is given up says so in this turn, each message by its id; the process ends after it.
    await turn()
    this.#state = { kind: 'stopped' }
    if (end === 'overdue') this.#bridges.logAbandoned()
    this.#watch.ended()
    const { counts } = this.#watch
    if (end === 'drained') this.#log.info('Stopped.', counts)
    else {
      const { inFlight } = this.#bridges
      this.#log.error('Stopped before all was done: what is unacked will be delivered again.', {
        ...counts,
        in_flight: inFlight,
      })
    }
    await this.#observer?.close()
    await this.#control?.close()
    return end
  }

  async #openControl(): Promise<void> {
    const { process } = this.#config
    if (!process.control) return
    const { Control } = await import('./control.ts')
    // Drained meanwhile: nobody would close it.
    if (this.#state.kind !== 'running') return
    const daemon = this
    const controlled = {
      get bridges() {
        return daemon.#bridges.all
      },
      get pools() {
        return daemon.view.pools
      },
      get isEnding() {
        return daemon.#state.kind !== 'running'
      },
      reload: () => this.#watch.reload(),
      shutDown: () => this.#watch.shutDown(),
    }
    this.#control = new Control(process, this.#version, this.#connections, controlled, logLines(this.#log))
    this.#control.start()
  }

  #describePools(bridges: readonly BridgeConfig[]): void {
    for (const demand of demandsOf(bridges)) void describePool(demand, logLines(this.#log))
  }
}

/** What each line of a bridge has. */
function inLinesOf({ queue, name, listed }: BridgeConfig): Readonly<Record<string, string>> {
  return listed ? { queue, bridge: name } : { queue }
}
