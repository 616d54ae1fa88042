import type { Execution } from './execution.ts'
import type { Patience } from './patience.ts'

/**
 * Deliveries that wait for a slot, in the order of their arrival. After a while each is too old to be dispatched: the
 * broker closes the channel when a delivery stays unacked for its `consumer_timeout`, and voids the acks of all others.
 */
export class Backlog {
  readonly #waiting: Execution[] = []
  readonly #patience: Pick<Patience, 'maxWait'>

  constructor(patience: Pick<Patience, 'maxWait'>) {
    this.#patience = patience
  }

  /** How many wait; what came with a lost session does not. */
  get size(): number {
    return this.#waiting.reduce((size, { delivery }) => (delivery.live ? size + 1 : size), 0)
  }

  /** Whether there is anything that may not wait much longer. What came with a lost session is the broker's again. */
  get stale(): boolean {
    return this.#waiting.some((execution) => execution.delivery.live && this.#isStale(execution))
  }

  /** The one whose turn it is. After a lost session the broker hands out again what waits here. */
  get first(): Execution | undefined {
    while (this.#waiting[0]?.delivery.live === false) this.#waiting.shift()
    return this.#waiting[0]
  }

  add(execution: Execution): void {
    while (this.#waiting[0]?.delivery.live === false) this.#waiting.shift()
    this.#waiting.push(execution)
  }

  /** Puts back, to the front, what could not be executed. */
  putBack(execution: Execution): void {
    this.#waiting.unshift(execution)
  }

  /** Puts back, to the end: others are to be tried before it. */
  putLast(execution: Execution): void {
    this.#waiting.push(execution)
  }

  /** Takes the first one, to be dispatched. What has become too old is handed back instead, and comes again with a new clock. */
  takeFirst(): Execution | undefined {
    const execution = this.first
    if (execution === undefined) return undefined
    this.#waiting.shift()
    if (!this.#isStale(execution)) return execution
    execution.delivery.requeue()
    return undefined
  }

  /** Takes the first one that may be dispatched. */
  next(): Execution | undefined {
    while (this.first !== undefined) {
      const execution = this.takeFirst()
      if (execution !== undefined) return execution
    }
    return undefined
  }

  handBackStale(): void {
    const all = this.#waiting.splice(0)
    this.#waiting.push(...all.filter((execution) => !this.#isStale(execution)))
    for (const execution of all) if (this.#isStale(execution)) execution.delivery.requeue()
  }

  handBackAll(): void {
    for (const { delivery } of this.#waiting.splice(0)) delivery.requeue()
  }

  #isStale({ delivery: { receivedAt } }: Execution): boolean {
    return performance.now() - receivedAt >= this.#patience.maxWait
  }
}
