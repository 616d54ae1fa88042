import type { BridgeEvent } from '../bridge/events.ts'

/** Seconds that are looked back on. */
const WINDOW = 10

/** How many messages end in a second, whatever comes of them. */
export class Rate {
  /** By the second, modulo its length: the one that runs, and those before. */
  readonly #counts = new Array<number>(WINDOW + 1).fill(0)
  #second = second()

  hear({ kind }: BridgeEvent): void {
    if (kind !== 'settled' && kind !== 'lost') return
    this.#goOn()
    const slot = this.#second % this.#counts.length
    this.#counts[slot] = (this.#counts[slot] ?? 0) + 1
  }

  /** Of the last 10 s that are over. */
  get perSecond(): number {
    this.#goOn()
    const current = this.#counts[this.#second % this.#counts.length] ?? 0
    return (this.#counts.reduce((sum, count) => sum + count, 0) - current) / WINDOW
  }

  /** Forgets what is too old. */
  #goOn(): void {
    const now = second()
    for (let each = Math.max(this.#second + 1, now - WINDOW); each <= now; each += 1)
      this.#counts[each % this.#counts.length] = 0
    this.#second = now
  }
}

function second(): number {
  return Math.floor(performance.now() / 1_000)
}
