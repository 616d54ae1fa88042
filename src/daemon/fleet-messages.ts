import type { ProcessReport, Question } from '../observe/fleet-views.ts'
import type { ProcessRecord } from './process-record.ts'
import type { RecyclingReason } from './recycling.ts'

/*
 * What a supervisor and its processes tell each other, over the channel that Node.js opens between a parent and a child. Signals and
 * the end of a process go by the system: they need nobody's help.
 */

/** From a process to its supervisor. */
export type FromChild =
  /** All its bridges consume. */
  | { readonly kind: 'consumes' }
  /** It has done its share, and goes on until it is told to retire. */
  | { readonly kind: 'tired'; readonly reason: RecyclingReason }
  /** It has taken the new configuration, or has said in the log why it has not. */
  | { readonly kind: 'reloaded' }
  | Said

/** What a process says of itself, where somebody wants to see it (--admin). */
export type Said =
  /** As it is now. `to`: the question that it answers, and what was asked for beside the report; left out: it has not been asked. */
  | {
      readonly kind: 'report'
      readonly report: ProcessReport
      readonly to?: Question
      readonly metrics?: string
      readonly status?: object
    }
  /** It is about to end. */
  | { readonly kind: 'record'; readonly record: ProcessRecord }

/** From a supervisor to one of its processes. */
export type ToChild =
  /** Its successor consumes: finish what is there, however long that takes, and end. */
  | { readonly kind: 'retire' }
  /** Read the configuration again. */
  | { readonly kind: 'reload' }
  /** From now on lines of level debug are wanted, or not. */
  | { readonly kind: 'show-debug' | 'hide-debug' }
  /** Say how you are. Not told before it has said so unasked. */
  | { readonly kind: 'ask'; readonly question: Question }
