import type { BridgeEvent, Tell } from '../bridge/events.ts'
import type { ExecutionIds, FinishedExecution } from '../bridge/facts.ts'
import type { FinalOutcome } from '../bridge/outcome.ts'

/** So many are kept. */
const KEPT = 20
/** Characters of a reason. */
const REASON = 500

/** A message that was not executed with success, and what has come of that. */
export interface Failure {
  /** ISO 8601. */
  readonly time: string
  readonly queue: string
  readonly outcome: FinalOutcome['kind']
  readonly reason: string
  /** The worker's, where it has answered. */
  readonly status: number | undefined
  readonly execution: ExecutionIds
  readonly duration_ms: number | undefined
}

type Told = Pick<Failure, 'outcome' | 'execution'> &
  Readonly<{ reason: string; status?: number | undefined; durationMs?: number }>

/** The last failures of all bridges, the latest first. */
export class Failures {
  readonly #kept: Failure[] = []

  get latest(): readonly Failure[] {
    return this.#kept
  }

  subscriber(queue: string): Tell {
    return (event) => {
      const told = failureIn(event)
      if (told === undefined) return
      const { outcome, execution, reason, status, durationMs } = told
      this.#kept.unshift({
        time: new Date().toISOString(),
        queue,
        outcome,
        reason: reason.slice(0, REASON),
        status,
        execution: idsOf(execution),
        duration_ms: durationMs === undefined ? undefined : Math.round(durationMs),
      })
      this.#kept.length = Math.min(this.#kept.length, KEPT)
    }
  }
}

function failureIn(event: BridgeEvent): Told | undefined {
  switch (event.kind) {
    case 'settled':
    case 'unsettled':
      return event.outcome.kind === 'executed' ? undefined : finished(event.execution, event.outcome)
    case 'lost':
      return lossIn(event)
    default:
      return undefined
  }
}

function lossIn(event: Extract<BridgeEvent, { kind: 'lost' }>): Told {
  switch (event.why) {
    case 'no-answer':
      return finished(event.execution, { kind: 'lost', ...event.diagnosis })
    case 'not-copied':
      return finished(event.copy.execution, { ...event.copy.outcome, kind: 'lost' })
    case 'not-put-back':
      return { outcome: 'lost', execution: event.copy.execution, reason: event.copy.reason }
    case 'abandoned':
      return { outcome: 'lost', execution: event.execution, reason: 'still executing when the process ended' }
  }
}

function finished(
  execution: FinishedExecution,
  { kind, reason, status }: Exclude<FinalOutcome, { kind: 'executed' }>,
): Told {
  return { outcome: kind, execution, reason, status, durationMs: execution.durationMs }
}

/** An execution holds its message, which would stay in memory. */
function idsOf(execution: ExecutionIds): ExecutionIds {
  const { deliveryTag, executionId, messageId, correlationId, type, attempt } = execution
  return { deliveryTag, executionId, messageId, correlationId, type, attempt }
}
