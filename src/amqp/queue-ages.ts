/**
 * Milliseconds. A quorum queue confirms from its first moment on, and a broker that is killed in its first second may forget it, or
 * leave it without a leader for good, with all that is in it (docs/decisions/0015-nothing-goes-into-young-quorum-queues.md).
 */
const SAFE_AGE = 3_000

/** A queue, and what it was declared with. */
interface DeclaredQueue {
  readonly name: string
  readonly arguments: Readonly<Record<string, string | number>>
}

/** How old quorum queues are at least. AMQP does not tell: only who declares one, or has known it for long, knows. */
export class QueueAges {
  readonly #cautious: boolean
  /** By name, since when they are known; milliseconds of `performance.now()`. */
  readonly #since = new Map<string, number>()

  /** @param cautious whether one that was there already may be as young as our knowledge of it: others may declare it, too */
  constructor(cautious: boolean) {
    this.#cautious = cautious
  }

  /** To be called whenever a queue was looked for. */
  seen({ name, arguments: { 'x-queue-type': type } }: DeclaredQueue, declared: boolean): void {
    if (type === 'quorum' && (declared || (this.#cautious && !this.#since.has(name))))
      this.#since.set(name, performance.now())
  }

  /** @returns milliseconds until its confirms can be relied on */
  rest(name: string): number {
    const since = this.#since.get(name)
    return since === undefined ? 0 : Math.max(0, since + SAFE_AGE - performance.now())
  }
}
