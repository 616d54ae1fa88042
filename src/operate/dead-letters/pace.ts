import { setTimeout as sleep } from 'node:timers/promises'

/** Lets so many through in a second, evenly: each has its moment, and what is late does not delay those after it. */
export class Pace {
  readonly #interval: number
  readonly #signal: AbortSignal
  readonly #start = performance.now()
  #turns = 0
  /** One waits at a time: those after it wait for it. */
  #before: Promise<boolean> = Promise.resolve(true)

  /** @param rate in a second */
  constructor(rate: number, signal: AbortSignal) {
    this.#interval = 1_000 / rate
    this.#signal = signal
  }

  /** Resolves when it is the caller's turn: true, or false when it is over. */
  turn(): Promise<boolean> {
    const moment = this.#start + this.#turns * this.#interval
    this.#turns += 1
    this.#before = this.#before.then((goesOn) => goesOn && this.#reach(moment))
    return this.#before
  }

  async #reach(moment: number): Promise<boolean> {
    const wait = moment - performance.now()
    if (wait <= 0) return !this.#signal.aborted
    return sleep(wait, true, { signal: this.#signal }).catch(() => false)
  }
}
