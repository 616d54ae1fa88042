import { LONGEST_WANTED } from '../../bridge/gates/hold.ts'
import { type FinalOutcome, type Outcome, rowOf } from '../../bridge/outcome.ts'
import { type OutcomeRow, WHAT_HAPPENED } from '../../bridge/outcome-rows.ts'
import { retryDelay, retryQueue } from '../../bridge/retry.ts'
import type { ExecutionReport } from '../../bridge/runner.ts'
import type { BridgeConfig } from '../../config/bridge-config.ts'

/** What the bridge would do, in the words of docs/outcomes.md. */
export type VerdictOutcome = 'ack' | 'log' | 'retry' | 'dead-letter' | 'hold' | 'in doubt'

/** What the bridge would make of an execution, and why. */
export interface Verdict {
  readonly outcome: VerdictOutcome
  /** Whether the message has been executed with success. */
  readonly success: boolean
  /** Whether there was no pool to execute it. */
  readonly noPool: boolean
  /** What becomes of the message, in one clause. */
  readonly fate: string
  /** The row of the table that has decided, and what happened where it fits. */
  readonly row: OutcomeRow
  readonly what: string
  /** Why it is no success. */
  readonly reason: string | undefined
}

/** `outcome` is that of the report: it is not decided twice. */
export function verdictOf({ result, outcome, execution }: ExecutionReport, config: BridgeConfig): Verdict {
  const [row] = rowOf(result, config)
  return {
    ...whatIsDone(outcome, execution.attempt, config),
    success: outcome.kind === 'executed',
    noPool: outcome.kind === 'hold' && outcome.probe === 'connect',
    row,
    what: WHAT_HAPPENED[row],
    reason: outcome.kind === 'executed' ? undefined : outcome.reason,
  }
}

type Done = Pick<Verdict, 'outcome' | 'fate'>

/** @param attempt the number of the execution, as it counts */
function whatIsDone(outcome: Outcome, attempt: number, config: BridgeConfig): Done {
  switch (outcome.kind) {
    case 'hold':
      return { outcome: 'hold', fate: ofHold(outcome, config) }
    case 'doubt':
      return { outcome: 'in doubt', fate: ofDoubt(outcome.fault, attempt, config) }
    default:
      return ofFinal(outcome, attempt, config)
  }
}

function ofFinal(outcome: FinalOutcome, attempt: number, config: BridgeConfig): Done {
  const { ack, queue, deadLetterQueue, maxAttempts } = config
  switch (outcome.kind) {
    case 'executed':
      return ack === 'completed'
        ? { outcome: 'ack', fate: 'it is acked: done' }
        : { outcome: 'log', fate: 'it was acked when it was dispatched; the success is logged' }
    case 'retry': {
      const delay = retryDelay(attempt, outcome.retryAfterMs, config)
      const next = `attempt ${attempt + 1} of ${maxAttempts}`
      return {
        outcome: 'retry',
        fate: `it comes back after ${seconds(delay)}, from "${retryQueue(queue, delay)}", for ${next}`,
      }
    }
    case 'dead-letter':
      return { outcome: 'dead-letter', fate: `it goes to "${deadLetterQueue}" with the reason` }
    case 'refused':
    case 'lost':
      return {
        outcome: 'log',
        fate: `it was acked when it was dispatched; that is logged as ${outcome.kind}, and not repeated`,
      }
  }
}

function ofHold(
  { probe, retryAfterMs }: Extract<Outcome, { kind: 'hold' }>,
  { ack }: Pick<BridgeConfig, 'ack'>,
): string {
  const back = ack === 'dispatched' && probe === 'delivery' ? 'it goes back into its queue' : 'it is kept'
  const asked =
    retryAfterMs > 0 ? `, which is not tried for ${seconds(Math.min(retryAfterMs, LONGEST_WANTED))}` : ''
  return `${back}, and nothing is dispatched until messages can be executed again${asked}`
}

function ofDoubt(fault: FinalOutcome | undefined, attempt: number, config: BridgeConfig): string {
  const itself = fault === undefined ? 'it is sent again' : ofFinal(fault, attempt, config).fate
  return `it waits up to 1 s until other messages show whether nothing can be executed (hold), or it is at fault itself: then ${itself}`
}

function seconds(milliseconds: number): string {
  return `${milliseconds / 1_000} s`
}
