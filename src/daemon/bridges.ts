import { BrokerError } from '../amqp/broker-error.ts'
import type { AdoptElsewhere } from '../bridge/returns.ts'
import type { BridgeConfig } from '../config/bridge-config.ts'
import type { Log } from '../observe/logger.ts'
import type { BridgeView } from '../observe/views.ts'
import type { Bridge } from './bridge.ts'
import { planReload } from './reload.ts'

type Make = (config: BridgeConfig, adoptElsewhere: AdoptElsewhere) => Bridge

/**
 * The bridges of a process. Each queue has one that is wanted; one that is replaced goes on until its successor consumes, and then
 * finishes what it has, so that a queue is never without a consumer.
 */
export class Bridges {
  readonly #make: Make
  readonly #log: Log
  /** All that have not ended. */
  readonly #alive = new Set<Bridge>()
  /** By queue. */
  readonly #wanted = new Map<string, Bridge>()

  constructor(make: Make, log: Log) {
    this.#make = make
    this.#log = log
  }

  /** Of all that have not ended. */
  get views(): readonly BridgeView[] {
    return [...this.#alive].map(({ view }) => view)
  }

  /** Those that have not ended. */
  get all(): readonly Bridge[] {
    return [...this.#alive]
  }

  /** How many have not ended. */
  get size(): number {
    return this.#alive.size
  }

  /** Executing, or not settled yet. */
  get inFlight(): number {
    return [...this.#alive].reduce((sum, { inFlight }) => sum + inFlight, 0)
  }

  /** Resolves when all consume, or are drained. @throws {BrokerError} see Bridge.start */
  async start(configs: readonly BridgeConfig[]): Promise<void> {
    const bridges = configs.map((config) => this.#add(config))
    await Promise.all(bridges.map((bridge) => bridge.start()))
  }

  /** Resolves when all that are new consume, or the log says why they do not; what was replaced may still be finishing. */
  async change(configs: readonly BridgeConfig[]): Promise<void> {
    const current = [...this.#wanted.values()].map(({ config }) => config)
    const { added, changed, same, gone } = planReload(current, configs)
    this.#log.info('Reloading.', {
      added: namesOf(added),
      changed: namesOf(changed),
      same: namesOf(same),
      gone: namesOf(gone),
    })
    for (const { queue } of gone) this.#wanted.delete(queue)
    const begun = [...added, ...changed].map((config) => this.#add(config))
    for (const bridge of this.#alive) if (!this.#isNeeded(bridge)) this.#retire(bridge)
    await Promise.all(begun.map((bridge) => this.#introduce(bridge)))
    this.#log.info('Reloaded.', { bridges: [...this.#wanted.values()].map(({ config }) => config.name) })
  }

  /** Resolves when everything is settled and closed. */
  async drain(): Promise<void> {
    await Promise.all([...this.#alive].map((bridge) => bridge.drain()))
  }

  /** Gives up what is not settled by now. */
  abortDrain(): void {
    for (const bridge of this.#alive) bridge.abortDrain()
  }

  /** Names what is lost from sight when the process ends now. */
  logAbandoned(): void {
    for (const bridge of this.#alive) bridge.logAbandoned()
  }

  #add(config: BridgeConfig): Bridge {
    const bridge: Bridge = this.#make(config, (delivery) =>
      this.#others(bridge).some((other) => other.adopt(delivery)),
    )
    this.#alive.add(bridge)
    this.#wanted.set(config.queue, bridge)
    return bridge
  }

  /** Whether it is wanted, or goes on until the one that is wanted consumes. */
  #isNeeded(bridge: Bridge): boolean {
    const wanted = this.#wanted.get(bridge.config.queue)
    return wanted === bridge || (wanted !== undefined && bridge.consumes)
  }

  /** Beside the one whose place it takes, if there is one. */
  async #introduce(bridge: Bridge): Promise<void> {
    const { queue, name } = bridge.config
    const former = this.#others(bridge).find(({ consumes }) => consumes)
    try {
      await bridge.start()
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      const message =
        former === undefined
          ? 'Cannot start a bridge: the broker refuses its configuration.'
          : 'Cannot change a bridge: the broker refuses its new configuration. The former one goes on.'
      this.#log.error(message, { queue, bridge: name, reason: error.message, code: error.code })
      // Yet another configuration may have come meanwhile.
      if (this.#wanted.get(queue) === bridge) {
        if (former?.consumes) this.#wanted.set(queue, former)
        else this.#wanted.delete(queue)
      }
      this.#retire(bridge)
      return
    }
    if (this.#wanted.get(queue) === bridge) for (const other of this.#others(bridge)) this.#retire(other)
  }

  #others(bridge: Bridge): Bridge[] {
    return [...this.#alive].filter((other) => other !== bridge && other.config.queue === bridge.config.queue)
  }

  /** Has it finish what it has, for as long as that takes. */
  #retire(bridge: Bridge): void {
    if (bridge.drains) return
    const { queue, name } = bridge.config
    this.#log.info('Draining a bridge.', { queue, bridge: name, in_flight: bridge.inFlight })
    void bridge.drain().then(() => {
      this.#alive.delete(bridge)
      this.#log.info('A bridge has ended.', { queue, bridge: name, ...bridge.counts })
    })
  }
}

function namesOf(configs: readonly BridgeConfig[]): readonly string[] {
  return configs.map(({ name }) => name)
}
