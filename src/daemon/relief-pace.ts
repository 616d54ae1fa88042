/** Of one process after the other: what a start takes of the processor is a tenth of the time, at most. */
const PAUSE = 10
/** Milliseconds that a start takes, until one has shown. */
const GUESS = 1_000

/** Has a fleet relieve one process after the other: with a full queue, all might have done their share within a second. */
export class ReliefPace {
  #startMs = GUESS
  #next = Number.NEGATIVE_INFINITY

  /** A process has taken so many milliseconds from its start until it consumed; where the broker is away, that is no measure. */
  started(milliseconds: number): void {
    this.#startMs = Math.min(milliseconds, GUESS)
  }

  /** @returns how many milliseconds from now on the next start may be; it is taken */
  take(now: number): number {
    const turn = Math.max(now, this.#next)
    this.#next = turn + PAUSE * this.#startMs
    return turn - now
  }
}
