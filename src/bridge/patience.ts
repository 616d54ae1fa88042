import type { Tell } from './events.ts'
import type { BridgePolicy } from './ports.ts'

/** Milliseconds that are left of the broker's patience when the last execution has to be over. */
const MARGIN = 60_000

/**
 * How long a delivery may be here before it is dispatched, in milliseconds.
 *
 * @returns 0 or less when the broker's patience is too short for any
 */
export function maxWait({ ack, timeout, consumerTimeout }: BridgePolicy): number {
  // With `dispatched` the ack does not wait for the script.
  const execution = ack === 'completed' ? timeout : 0
  return consumerTimeout === 0 ? Number.POSITIVE_INFINITY : consumerTimeout - execution - MARGIN
}

/** How long the broker waits for an ack: as long as it is told by --consumer-timeout, until it shows otherwise. */
export class Patience {
  readonly #config: BridgePolicy
  readonly #tell: Tell
  /** Milliseconds that the broker waits. */
  #known: number
  #maxWait: number

  constructor(config: BridgePolicy, tell: Tell) {
    this.#config = config
    this.#tell = tell
    this.#known = config.consumerTimeout || Number.POSITIVE_INFINITY
    this.#maxWait = maxWait(config)
  }

  /** How long a delivery may be here before it is dispatched, in milliseconds. */
  get maxWait(): number {
    return this.#maxWait
  }

  /**
   * The broker has ended a session since a delivery was unacked for so many milliseconds. Where --timeout leaves nothing of that,
   * deliveries may wait for half of it: what is short can still be done.
   */
  shorten(consumerTimeout: number): void {
    if (consumerTimeout >= this.#known) return
    this.#known = consumerTimeout
    const left = maxWait({ ...this.#config, consumerTimeout })
    this.#maxWait = left > 0 ? left : consumerTimeout / 2
    this.#tell({
      kind: 'consumer-timeout-short',
      brokerConsumerTimeoutMs: consumerTimeout,
      consumerTimeoutMs: this.#config.consumerTimeout,
      timeoutMs: this.#config.timeout,
    })
  }
}
