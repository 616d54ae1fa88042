import type { Patience } from './patience.ts'
import type { Delivery } from './ports.ts'

/**
 * Deliveries that wait for a slot, in the order of their arrival. After a while each is too old to be dispatched: the
 * broker closes the channel when a delivery stays unacked for its `consumer_timeout`, and voids the acks of all others.
 */
export class Backlog {
  readonly #deliveries: Delivery[] = []
  readonly #patience: Pick<Patience, 'maxWait'>

  constructor(patience: Pick<Patience, 'maxWait'>) {
    this.#patience = patience
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
    return performance.now() - receivedAt >= this.#patience.maxWait
  }
}
