import type { Execution } from '../execution.ts'
import type { Result } from '../result.ts'

/** Whether a delivery may start now; if not, when to ask again, in milliseconds. Infinity: when the gate says so by itself. */
export type Answer = 'yes' | { readonly askAgainIn: number }

/** For gates that say by themselves when they have changed their mind. */
export const UNTIL_TOLD: Answer = { askAgainIn: Number.POSITIVE_INFINITY }

/**
 * What may start now is asked of a list of gates: all have to say yes. Each is asked again and again, about whichever delivery is
 * the next; that it said yes does not mean that the delivery starts.
 */
export interface Gate {
  admits(next: Execution): Answer
  /** Called for each that starts: all have said yes, or it probes whether anything can be executed. */
  onStart?(execution: Execution): void
  /** Called when it is over, and what becomes of it is settled, or being settled. */
  onEnd?(execution: Execution, result: Result): void
  /** Called once: from then on the gate calls `wake` when it may have changed its mind by itself. */
  open?(wake: () => void): void
}
