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

/** From a supervisor to one of its processes. */
export type ToChild =
  /** Its successor consumes: finish what is there, however long that takes, and end. */
  | { readonly kind: 'retire' }
  /** Read the configuration again. */
  | { readonly kind: 'reload' }
  /** From now on lines of level debug are wanted, or not. */
  | { readonly kind: 'show-debug' | 'hide-debug' }
