import type { OutcomePolicy } from './ports.ts'
import {
  breaksEveryUpload,
  describe,
  failedIn,
  hasFailed,
  hasFatalError,
  hasStatus,
  isMarked,
  isSuccess,
  isTemporary,
  isUnprocessable,
  isUnsent,
  lacksMarker,
  type Result,
  ranNothing,
  statusOf,
  wantedDelay,
} from './result.ts'

/** Why it is not success; status and stderr where a worker answered. */
export interface Diagnosis {
  readonly reason: string
  readonly status?: number
  readonly stderr?: string
}

/**
 * What is done about it:
 * - `hold`: nothing ran, and nothing else would; the delivery is kept and tried again. `probe` is what can find out that
 *   it is over: a bare connect, or only a delivery;
 * - `executed`: it is acked, if that has not happened when it was dispatched;
 * - `retry`: a copy comes back after a while, at least `wanted` milliseconds; then it is acked;
 * - `dead-letter`: a copy goes to the dead-letter queue, then it is acked;
 * - `refused`, `lost`: it was acked when it was dispatched; what came of it is logged and counted.
 *   `refused`: the worker answered with something else than success; `lost`: nobody knows whether it ran.
 */
export type Outcome = Held | Settleable
export type Held = { readonly kind: 'hold'; readonly reason: string; readonly probe: 'connect' | 'delivery' }
export type Settleable =
  | { readonly kind: 'executed'; readonly status: number }
  | ({ readonly kind: 'retry'; readonly wanted: number } & Diagnosis)
  | ({ readonly kind: 'dead-letter' } & Diagnosis)
  | ({ readonly kind: 'refused' } & Diagnosis)
  | ({ readonly kind: 'lost' } & Diagnosis)

/** Stands in the table for what is only logged and counted: the delivery was acked when it was dispatched. */
type Verdict = 'hold' | 'ack' | 'retry' | 'dead-letter' | 'log'

type Row = readonly [
  when: (result: Result, policy: OutcomePolicy) => boolean,
  completed: Verdict,
  dispatched: Verdict,
]

/** The whole policy: what happened, and what is done with `completed` and with `dispatched`. First match wins. */
const TABLE: readonly Row[] = [
  [isUnprocessable, 'dead-letter', 'dead-letter'],
  [isUnsent, 'hold', 'hold'],
  [ranNothing, 'hold', 'hold'],
  [breaksEveryUpload, 'retry', 'dead-letter'],
  [failedIn('send'), 'retry', 'hold'],
  [hasFailed, 'retry', 'log'],
  [isMarked('ack'), 'ack', 'log'],
  [isMarked('retry'), 'retry', 'log'],
  [isMarked('dead-letter'), 'dead-letter', 'log'],
  [hasFatalError, 'retry', 'log'],
  [lacksMarker, 'retry', 'log'],
  [hasStatus(isSuccess), 'ack', 'log'],
  [hasStatus(isTemporary), 'retry', 'log'],
  [hasStatus(() => true), 'dead-letter', 'log'],
]

/**
 * @param attempt the number of this execution, from 1
 * @param now milliseconds since the epoch, from which a Retry-After date counts
 */
export function decide(result: Result, policy: OutcomePolicy, attempt: number, now: number): Outcome {
  const [, completed, dispatched] = TABLE.find(([when]) => when(result, policy)) as Row
  const verdict = policy.ack === 'completed' ? completed : dispatched
  if (verdict === 'ack' || (verdict === 'log' && completed === 'ack')) {
    return { kind: 'executed', status: statusOf(result) }
  }
  const diagnosis = diagnose(result, policy)
  const { reason } = diagnosis
  switch (verdict) {
    case 'hold':
      // Only a script can tell that php-fpm runs scripts again.
      return { kind: 'hold', reason, probe: ranNothing(result) ? 'delivery' : 'connect' }
    case 'dead-letter':
      return { kind: 'dead-letter', ...diagnosis }
    case 'retry':
      return attempt < policy.maxAttempts
        ? { kind: 'retry', wanted: wantedDelay(result, now), ...diagnosis }
        : {
            kind: 'dead-letter',
            ...diagnosis,
            reason: `attempt ${attempt} of ${policy.maxAttempts}: ${reason}`,
          }
    case 'log':
      return { kind: result.kind === 'answered' ? 'refused' : 'lost', ...diagnosis }
  }
}

function diagnose(result: Result, policy: OutcomePolicy): Diagnosis {
  const reason = describe(result, policy)
  if (result.kind !== 'answered') return { reason }
  const { status, stderr } = result.response
  return { reason, status, stderr }
}
