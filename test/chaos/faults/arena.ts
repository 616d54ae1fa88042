import type { DeadLetter } from '../books.ts'
import type { Fleet } from '../fleet.ts'
import type { Flow } from '../flow.ts'
import type { Stage } from '../stage.ts'

/** All that a fault can get hold of. */
export interface Arena {
  readonly stage: Stage
  readonly fleet: Fleet
  readonly flow: Flow
  /** What was in the dead-letter queue, and was taken out of it. */
  readonly deadLetters: DeadLetter[]
}

/** How a fault went. Times are milliseconds since the epoch. */
export interface Course {
  readonly began: number
  /** When the world was whole again, from which on the recovery counts. */
  readonly lifted: number
  /** Undefined: not within a minute. */
  readonly recovered: number | undefined
  /** The slots of the daemons that it struck. */
  readonly slots: readonly number[]
}
