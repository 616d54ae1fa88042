import { diagnosisFields } from './diagnosis.ts'
import { Doubts, type Suspect } from './doubts.ts'
import { Hold, type Obstacle } from './hold.ts'
import type { DoubtOutcome, FinalOutcome, HoldOutcome } from './outcome.ts'
import type { Delivery, Log } from './ports.ts'

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
  /** Resolves with what is still in the way, or with undefined when nothing is. */
  readonly probe: (obstacle: Obstacle) => Promise<Obstacle | undefined>
  /** Told when everything can be executed again. */
  readonly onOver: () => void
  /** Told of a delivery that waited, and is to be settled as if it had failed by itself. */
  readonly onFault: (suspect: Suspect) => void
  /** Told of a delivery that waited, and is innocent. */
  readonly onRelease: (suspect: Suspect) => void
}

/** Knows what keeps messages from being executed: all of them, or one that is to blame itself. */
export class Obstacles {
  readonly #hold: Hold
  readonly #doubts: Doubts
  readonly #onRelease: (suspect: Suspect) => void
  #closed = false

  constructor(log: Log, { probe, onOver, onFault, onRelease }: ObstaclesOptions) {
    this.#hold = new Hold(log, probe, onOver)
    this.#doubts = new Doubts(onFault)
    this.#onRelease = onRelease
  }

  /** Whether nothing is to be dispatched but a probe. */
  get held(): boolean {
    return this.#hold.active
  }

  enter(obstacle: Obstacle): void {
    if (!this.#closed) this.#hold.enter(obstacle)
    for (const suspect of this.#doubts.takeAll()) this.#onRelease(suspect)
  }

  judge(suspect: Suspect): Judgement {
    const { delivery, executed } = suspect
    const { outcome } = executed
    switch (outcome.kind) {
      case 'hold': {
        if (outcome.fault !== undefined && !this.#doubts.believe(delivery)) {
          return this.#convict(delivery, outcome.fault)
        }
        const obstacle: Obstacle = { ...outcome, met: metBy(suspect, outcome) }
        this.enter(obstacle)
        return { kind: 'give-back', othersFirst: outcome.probe === 'delivery', innocent: true, obstacle }
      }
      case 'doubt': {
        const { reason } = outcome
        const obstacle: Obstacle = { reason, probe: 'delivery', met: metBy(suspect, outcome) }
        if (this.#doubts.count(delivery)) this.enter(obstacle)
        const innocent = this.held && this.#doubts.believe(delivery)
        if (this.held && !innocent && outcome.fault !== undefined) {
          return this.#convict(delivery, outcome.fault)
        }
        // What was acked, and not even read, is nowhere but here: it does not wait.
        const unsafe = executed.acked && outcome.fault === undefined
        if (this.#closed || this.held || unsafe) {
          return { kind: 'give-back', othersFirst: true, innocent, obstacle }
        }
        this.#doubts.add(suspect)
        return { kind: 'wait', obstacle }
      }
      default:
        if (executed.answered) this.#doubts.clear(executed.startedAt)
        return { kind: 'settle', outcome, obstacle: executed.began ? undefined : this.#hold.obstacle }
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
function metBy(
  { executed: { answered, ended } }: Suspect,
  outcome: HoldOutcome | DoubtOutcome,
): Obstacle['met'] {
  if (!answered) return undefined
  const { executionId, messageId, type } = ended
  return { executionId, messageId, type, subject: outcome.subject, ...diagnosisFields(outcome) }
}
