import type { Tell } from './events.ts'
import type { Intake } from './ports.ts'

/** `hold`: what waits would get too old before anything can be executed. `told`: operators want no messages to be taken. */
export type IntakeReason = 'hold' | 'told'

/** Keeps the intake paused for as long as there is any reason: one that is over undoes no other. */
export class IntakeReasons {
  readonly #intake: Intake
  readonly #tell: Tell
  readonly #reasons = new Set<IntakeReason>()

  constructor(intake: Intake, tell: Tell) {
    this.#intake = intake
    this.#tell = tell
  }

  /** The intake as those see it who have this reason. */
  for(reason: IntakeReason): Intake {
    return {
      pause: () => this.#pause(reason),
      resume: () => this.#resume(reason),
      widen: () => this.#intake.widen(),
    }
  }

  async #pause(reason: IntakeReason): Promise<void> {
    if (!this.#reasons.has(reason) && reason === 'hold') this.#tell({ kind: 'intake-paused' })
    this.#reasons.add(reason)
    await this.#intake.pause()
  }

  #resume(reason: IntakeReason): void {
    if (!this.#reasons.delete(reason) || this.#reasons.size > 0) return
    this.#intake.resume()
    if (reason === 'hold') this.#tell({ kind: 'intake-resumed' })
  }
}
