import type { ParkedSummary } from './facts.ts'
import type { Copy, Tries } from './tries.ts'

/** A message that is executed, and whose copy cannot be published at the moment. */
export interface Parked {
  readonly key: string
  readonly copy: Copy
  cause: string
  /** Undefined while the message is with the broker, from where it comes again. */
  here: Tries | undefined
  /** Since when it is here, or is not; milliseconds of `performance.now()`. */
  since: number
}

/** What is told of several. */
export function summary(all: readonly Parked[]): ParkedSummary {
  const causes = new Set(all.map(({ here, cause }) => here?.cause ?? cause))
  return {
    parked: all.length,
    copyTo: [...new Set(all.map(({ copy }) => copy.queue))].slice(0, 5),
    causes: [...causes].slice(0, 5),
    messageIds: all.slice(0, 10).map(({ copy }) => copy.execution.messageId),
  }
}
