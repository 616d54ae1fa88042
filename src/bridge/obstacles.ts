import { Doubts } from './doubts.ts'
import type { Met } from './facts.ts'
import type { Hold, Obstacle } from './gates/hold.ts'
import type { DoubtOutcome, FinalOutcome, HoldOutcome } from './outcome.ts'
import type { Delivery } from './ports.ts'
import { hasBegun } from './result.ts'
import type { ExecutionReport } from './runner.ts'

/**
 * What becomes of a delivery:
 * - `settle`: it has been executed, or is at fault itself;
 * - `give-back`: it was not executed, which does not count; others first, where they may fare better. Where it is innocent,
 *   nothing could be executed: nor does it count how often it was left unread;
 * - `wait`: nobody knows yet whose fault it is; onFault or onRelease will tell.
 */
export type Judgement =
  /** `obstacle`: what is in the way all the same. */
  | { readonly kind: 'settle'; readonly outcome: FinalOutcome; readonly obstacle: Obstacle | undefined }
  | {
      readonly kind: 'give-back'
      readonly othersFirst: boolean
      readonly innocent: boolean
      readonly obstacle: Obstacle
    }
  | { readonly kind: 'wait'; readonly obstacle: Obstacle }

export interface ObstaclesOptions {
  /** Told of a delivery that waited, and is to be settled as if it had failed by itself. */
  readonly onFault: (suspect: ExecutionReport) => void
  /** Told of a delivery that waited, and is innocent. */
  readonly onRelease: (suspect: ExecutionReport) => void
}

/** Knows what keeps messages from being executed: all of them, or one that is to blame itself. */
export class Obstacles {
  readonly #hold: Hold
  readonly #doubts: Doubts
  readonly #onRelease: (suspect: ExecutionReport) => void
  #closed = false

  constructor(hold: Hold, { onFault, onRelease }: ObstaclesOptions) {
    this.#hold = hold
    this.#doubts = new Doubts(onFault)
    this.#onRelease = onRelease
  }

  /** How many deliveries wait until it is known whose fault it is. */
  get undecided(): number {
    return this.#doubts.size
  }

  #enter(obstacle: Obstacle): void {
    this.#hold.enter(obstacle)
    for (const suspect of this.#doubts.takeAll()) this.#onRelease(suspect)
  }

  judge(suspect: ExecutionReport): Judgement {
    const { execution, result, outcome } = suspect
    const { delivery } = execution
    switch (outcome.kind) {
      case 'hold': {
        if (outcome.fault !== undefined && !this.#doubts.believe(delivery)) {
          return this.#convict(delivery, outcome.fault)
        }
        const obstacle: Obstacle = { ...outcome, met: metBy(suspect, outcome) }
        this.#enter(obstacle)
        return { kind: 'give-back', othersFirst: outcome.probe === 'delivery', innocent: true, obstacle }
      }
      case 'doubt': {
        const { reason } = outcome
        const obstacle: Obstacle = { reason, probe: 'delivery', met: metBy(suspect, outcome) }
        if (this.#doubts.count(delivery)) this.#enter(obstacle)
        const innocent = this.#hold.active && this.#doubts.believe(delivery)
        if (this.#hold.active && !innocent && outcome.fault !== undefined) {
          return this.#convict(delivery, outcome.fault)
        }
        // What was acked, and not even read, is nowhere but here: it does not wait.
        const unsafe = execution.acked && outcome.fault === undefined
        if (this.#closed || this.#hold.active || unsafe) {
          return { kind: 'give-back', othersFirst: true, innocent, obstacle }
        }
        this.#doubts.add(suspect)
        return { kind: 'wait', obstacle }
      }
      default:
        if (result.kind === 'answered') this.#doubts.clear(execution.startedAt)
        return { kind: 'settle', outcome, obstacle: hasBegun(result) ? undefined : this.#hold.obstacle }
    }
  }

  #convict(delivery: Delivery, outcome: FinalOutcome): Judgement {
    this.#doubts.forget(delivery)
    return { kind: 'settle', outcome, obstacle: this.#hold.obstacle }
  }

  /** Nothing is held from now on, without a word, and nothing waits. */
  close(): void {
    this.#closed = true
    this.#hold.close()
    for (const suspect of this.#doubts.takeAll()) this.#onRelease(suspect)
  }
}

/** Without a pool no message is any nearer to it than another. */
function metBy({ execution, result }: ExecutionReport, outcome: HoldOutcome | DoubtOutcome): Met | undefined {
  return result.kind === 'answered' ? { execution, diagnosis: outcome } : undefined
}
