import { LEASE, LEASE_TOLERANCE, type StreamLimits } from './stream-limits.ts'

/** The share of its lifetime that a request has, however long it has waited for a child. */
const LEAST_LIFE = 0.25

/** The times of one request, by `performance.now()`, and what follows from them. */
export class StreamClock {
  readonly #limits: StreamLimits
  readonly #openedAt = performance.now()
  #readyAt: number | undefined
  /** When the worker's last word came that its lease counts from. */
  #heardAt = this.#openedAt

  constructor(limits: StreamLimits) {
    this.#limits = limits
  }

  /** Milliseconds from the connection to the hello; undefined before that. */
  get bootTime(): number | undefined {
    return this.#readyAt === undefined ? undefined : this.#readyAt - this.#openedAt
  }

  get heardAt(): number {
    return this.#heardAt
  }

  /** @returns milliseconds from the connection */
  noteHello(): number {
    this.#readyAt = this.noteWord()
    return this.#readyAt - this.#openedAt
  }

  /** An answer or a question. @returns when it came */
  noteWord(): number {
    this.#heardAt = performance.now()
    return this.#heardAt
  }

  /** Milliseconds since the connection. */
  age(now: number): number {
    return now - this.#openedAt
  }

  silence(now: number): number {
    return now - this.#heardAt
  }

  /** Whether the worker executes what is sent ahead now, as far as can be told. */
  isWithinLease(now: number): boolean {
    return this.silence(now) < LEASE
  }

  /** Whether an answer that comes after now comes with a question. */
  isLeaseOver(now: number): boolean {
    return this.silence(now) >= LEASE + LEASE_TOLERANCE[this.#limits.addressKind]
  }

  /**
   * Whether it has lived for so long that its child may be wanted elsewhere. Where requests wait for a child, those of others do,
   * too: each gets it for a shorter time.
   *
   * @param quickestBoot milliseconds: what it took longer than that it has waited for a child
   */
  isOld(now: number, quickestBoot: number): boolean {
    if (this.#readyAt === undefined) return false
    const { lifetime } = this.#limits
    const waited = Math.max(0, this.#readyAt - this.#openedAt - quickestBoot)
    return now - this.#readyAt >= Math.max(lifetime - waited, lifetime * LEAST_LIFE)
  }
}
