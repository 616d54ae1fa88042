import type { BridgePolicy, Log } from './ports.ts'

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
  readonly #log: Log
  /** Milliseconds that the broker waits. */
  #known: number
  #maxWait: number

  constructor(config: BridgePolicy, log: Log) {
    this.#config = config
    this.#log = log
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
    this.#log.error(TOO_SHORT, {
      brokerConsumerTimeoutMs: consumerTimeout,
      consumerTimeoutMs: this.#config.consumerTimeout,
      timeoutMs: this.#config.timeout,
    })
  }
}

const TOO_SHORT =
  "The broker's consumer_timeout is shorter than --consumer-timeout: what is executed for longer ends the session, and is acked only if it comes back to this daemon. Raise it there, or set --consumer-timeout to it and --timeout below it."
