import type { BridgeEvent } from '../bridge/events.ts'
import type { FinalOutcome } from '../bridge/outcome.ts'

/** How many deliveries ended in which way; `hold`: how often one was given back that could not be executed. */
export type Counts = Readonly<Record<FinalOutcome['kind'] | 'hold', number>>

/** Counts what has come of deliveries, when it is true: what is not settled comes again, and counts then. */
export class Counters {
  readonly #counts = { executed: 0, retry: 0, refused: 0, lost: 0, 'dead-letter': 0, hold: 0 }

  get counts(): Counts {
    return this.#counts
  }

  count(event: BridgeEvent): void {
    switch (event.kind) {
      case 'settled':
        this.#counts[event.outcome.kind] += 1
        break
      case 'lost':
        this.#counts.lost += 1
        break
      case 'held':
        // One that was to find out whether anything can be executed had been held before.
        if (!event.probing) this.#counts.hold += 1
        break
      case 'put-back':
        this.#counts.hold += 1
        break
      default:
    }
  }
}
