import { setTimeout as sleep } from 'node:timers/promises'

/** Lets so many through in a second, evenly: each has its moment, and what is late does not delay those after it. */
export class Pace {
  readonly #interval: number
  readonly #start = performance.now()
  #turns = 0

  /** @param rate in a second */
  constructor(rate: number) {
    this.#interval = 1_000 / rate
  }

  /** Resolves when it is the caller's turn. @throws when the signal says that it is over */
  async turn(signal: AbortSignal): Promise<void> {
    const moment = this.#start + this.#turns * this.#interval
    this.#turns += 1
    const wait = moment - performance.now()
    if (wait > 0) await sleep(wait, undefined, { signal })
  }
}
