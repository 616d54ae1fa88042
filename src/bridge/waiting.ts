import type { BridgeConfig, Delivery } from './ports.ts'

/** Milliseconds that are left of the broker's patience when the last execution has to be over. */
const MARGIN = 60_000

/**
 * How long a delivery may be here before it is dispatched, in milliseconds.
 *
 * @returns 0 or less when the broker's patience is too short for any
 */
export function maxWait({ ack, timeout, consumerTimeout }: BridgeConfig): number {
  // With `dispatched` the ack does not wait for the script.
  const execution = ack === 'completed' ? timeout : 0
  return consumerTimeout === 0 ? Number.POSITIVE_INFINITY : consumerTimeout - execution - MARGIN
}

/**
 * Deliveries that wait for a slot, in the order of their arrival. After a while each is too old to be dispatched: the
 * broker closes the channel when a delivery stays unacked for its `consumer_timeout`, and voids the acks of all others.
 */
export class Waiting {
  readonly #deliveries: Delivery[] = []
  /** Milliseconds. */
  readonly #maxWait: number

  constructor(config: BridgeConfig) {
    this.#maxWait = maxWait(config)
  }

  /** Whether there is anything that may not wait much longer. What came with a lost session is the broker's again. */
  get stale(): boolean {
    return this.#deliveries.some((delivery) => delivery.live && this.#isStale(delivery))
  }

  add(delivery: Delivery): void {
    // After a lost session the broker hands out again what waits here.
    while (this.#deliveries[0]?.live === false) this.#deliveries.shift()
    this.#deliveries.push(delivery)
  }

  /** Puts back, to the front, what could not be executed. */
  putBack(delivery: Delivery): void {
    this.#deliveries.unshift(delivery)
  }

  /** Puts back, to the end: others are to be tried before it. */
  putLast(delivery: Delivery): void {
    this.#deliveries.push(delivery)
  }

  /** The next one that may be dispatched. What has become too old is handed back, and comes again with a new clock. */
  next(): Delivery | undefined {
    for (
      let delivery = this.#deliveries.shift();
      delivery !== undefined;
      delivery = this.#deliveries.shift()
    ) {
      if (!delivery.live) continue
      if (!this.#isStale(delivery)) return delivery
      delivery.requeue()
    }
    return undefined
  }

  handBackStale(): void {
    const all = this.#deliveries.splice(0)
    this.#deliveries.push(...all.filter((delivery) => !this.#isStale(delivery)))
    for (const delivery of all) if (this.#isStale(delivery)) delivery.requeue()
  }

  handBackAll(): void {
    for (const delivery of this.#deliveries.splice(0)) delivery.requeue()
  }

  #isStale({ receivedAt }: Delivery): boolean {
    return performance.now() - receivedAt >= this.#maxWait
  }
}
