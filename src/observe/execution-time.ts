import type { BridgeEvent } from '../bridge/events.ts'
import type { FinishedExecution } from '../bridge/facts.ts'
import type { DeadLetterCause, FinalOutcome } from '../bridge/outcome.ts'

/**
 * @returns how long the execution took that has come to its end with this event, in milliseconds, the wait for a connection included;
 *   undefined where none has
 */
export function executionTimeOf(event: BridgeEvent): number | undefined {
  switch (event.kind) {
    case 'settled':
    case 'unsettled':
      return timeOf(event.execution, event.outcome)
    case 'lost':
      if (event.why === 'no-answer') return event.execution.durationMs
      return event.why === 'not-copied' ? timeOf(event.copy.execution, event.copy.outcome) : undefined
    default:
      return undefined
  }
}

/** What no request could be made of, or should, was not executed. */
const NOT_EXECUTED: ReadonlySet<DeadLetterCause> = new Set(['unprocessable', 'control'])

function timeOf({ durationMs }: FinishedExecution, outcome: FinalOutcome): number | undefined {
  return outcome.kind === 'dead-letter' && NOT_EXECUTED.has(outcome.cause) ? undefined : durationMs
}
