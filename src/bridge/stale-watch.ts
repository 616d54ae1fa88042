import type { Backlog } from './backlog.ts'
import type { Hold } from './gates/hold.ts'
import type { Intake } from './ports.ts'

/** Milliseconds between two looks at how long deliveries have been waiting. */
const INTERVAL = 1_000

/**
 * What is too old to be dispatched goes back to the broker. During a hold it would come back at once, and again and again:
 * then everything that waits goes back, and nothing more is taken until the hold is over.
 */
export class StaleWatch {
  readonly #backlog: Backlog
  readonly #hold: Hold
  readonly #intake: Intake
  readonly #timer: NodeJS.Timeout

  constructor(backlog: Backlog, hold: Hold, intake: Intake) {
    this.#backlog = backlog
    this.#hold = hold
    this.#intake = intake
    this.#timer = setInterval(() => void this.#handBack(), INTERVAL).unref()
  }

  end(): void {
    clearInterval(this.#timer)
  }

  async #handBack(): Promise<void> {
    if (!this.#backlog.stale) return
    if (this.#hold.active) {
      await this.#intake.pause()
      if (this.#hold.active) this.#backlog.handBackAll()
    } else this.#backlog.handBackStale()
  }
}
