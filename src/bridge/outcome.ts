import type { Diagnosis } from './diagnosis.ts'
import type { OutcomeRow } from './outcome-rows.ts'
import type { OutcomePolicy } from './ports.ts'
import {
  describe,
  failedIn,
  hasFailed,
  hasFatalError,
  hasForeignStatus,
  hasNoHello,
  hasNotStarted,
  hasStatus,
  hasUnknownMarker,
  isMarked,
  isSuccess,
  isTemporary,
  isUnprocessable,
  isUnread,
  isUnreadTooOften,
  isUnsent,
  looksRefused,
  type Result,
  scriptDidNotRun,
  statusOf,
  subjectOf,
  wantedDelay,
} from './result.ts'

/**
 * What is done about it:
 * - `hold`: nothing ran, and nothing else would; the delivery is kept and tried again. `probe` is what can find out that
 *   it is over: a bare connect, or only a delivery; not before `retryAfterMs` milliseconds have passed;
 * - `doubt`: only other messages can tell whether nothing can be executed, or whether it is the fault of this one.
 * For both, `fault` is what becomes of the message if it is this one's; undefined: it is tried again;
 * - `executed`: it is acked, if that has not happened when it was dispatched;
 * - `retry`: a copy comes back after a while, at least `retryAfterMs` milliseconds; then it is acked;
 * - `dead-letter`: a copy goes to the dead-letter queue, then it is acked;
 * - `refused`, `lost`: it was acked when it was dispatched; what came of it is logged and counted.
 *   `refused`: the worker answered with something else than success; `lost`: nobody knows whether it ran.
 */
export type Outcome = HoldOutcome | DoubtOutcome | FinalOutcome
export interface HoldOutcome extends Diagnosis {
  readonly kind: 'hold'
  readonly probe: 'connect' | 'delivery'
  /** Whether it lasts until somebody mends what is wrong. */
  readonly lasting?: boolean
  readonly retryAfterMs: number
  readonly fault: FinalOutcome | undefined
}
export interface DoubtOutcome extends Diagnosis {
  readonly kind: 'doubt'
  readonly fault: FinalOutcome | undefined
}
export type FinalOutcome =
  | { readonly kind: 'executed'; readonly status: number; readonly subject?: string | undefined }
  | ({ readonly kind: 'retry'; readonly retryAfterMs: number } & Diagnosis)
  | ({ readonly kind: 'dead-letter'; readonly cause: DeadLetterCause } & Diagnosis)
  | ({ readonly kind: 'refused' } & Diagnosis)
  | ({ readonly kind: 'lost' } & Diagnosis)

/**
 * Why a message is given up:
 * - `unprocessable`: no request can be made of it;
 * - `rejected`: the worker has said so, by its status or its X-Bridge-Outcome;
 * - `attempts`: it has failed as often as it may;
 * - `unread`: the pool takes other messages, and has not read this one, several times in a row;
 * - `control`: it is for the daemon, which does not know what it says.
 */
export type DeadLetterCause = 'unprocessable' | 'rejected' | 'attempts' | 'unread' | 'control'

/**
 * `log` stands for what is only logged and counted: the delivery was acked when it was dispatched. `again`: it has not run.
 * A question mark: unless other messages fare the same. `hold!`: the worker says that it is not the message's fault.
 */
type Verdict =
  | 'hold'
  | 'hold!'
  | 'again?'
  | 'ack'
  | 'retry'
  | 'retry?'
  | 'dead-letter'
  | 'dead-letter?'
  | 'log'
  | 'log?'

type Row = readonly [
  name: OutcomeRow,
  when: (result: Result, policy: OutcomePolicy) => boolean,
  completed: Verdict,
  dispatched: Verdict,
]

/** The whole policy: what happened, and what is done with `completed` and with `dispatched`. First match wins. */
export const TABLE: readonly Row[] = [
  ['unprocessable', isUnprocessable, 'dead-letter', 'dead-letter'],
  ['no-connection', isUnsent, 'hold', 'hold'],
  ['no-script', scriptDidNotRun, 'hold', 'hold'],
  ['marked-hold', isMarked('hold'), 'hold!', 'hold!'],
  ['unread-too-often', isUnreadTooOften, 'retry?', 'dead-letter?'],
  ['unread', failedIn('unread'), 'again?', 'again?'],
  ['broken-off', isUnread, 'retry', 'again?'],
  ['no-answer', hasFailed, 'retry', 'log'],
  ['looks-refused', looksRefused, 'retry?', 'log?'],
  ['marked', isMarked('ack'), 'ack', 'log'],
  ['marked', isMarked('retry'), 'retry', 'log'],
  ['marked', isMarked('dead-letter'), 'dead-letter', 'log'],
  ['unknown-marker', hasUnknownMarker, 'retry', 'log'],
  ['no-marker', hasNotStarted, 'retry?', 'log?'],
  ['fatal-error', hasFatalError, 'retry', 'log'],
  ['startup-warning', hasForeignStatus, 'retry', 'log'],
  ['success', hasStatus(isSuccess), 'ack', 'log'],
  ['temporary', hasStatus(isTemporary), 'retry', 'log'],
  ['other-status', hasStatus(() => true), 'dead-letter', 'log'],
]

/**
 * @param attempt the number of this execution, from 1
 * @param now milliseconds since the epoch, from which a Retry-After date counts
 */
export function decide(result: Result, policy: OutcomePolicy, attempt: number, now: number): Outcome {
  const [, , completed, dispatched] = rowOf(result, policy)
  const verdict = policy.ack === 'completed' ? completed : dispatched
  if (verdict === 'ack' || (verdict === 'log' && completed === 'ack')) {
    return { kind: 'executed', status: statusOf(result), subject: subjectOf(result) }
  }
  const diagnosis = diagnose(result, policy)
  const retryAfterMs = wantedDelay(result, now)
  switch (verdict) {
    case 'hold':
      // Of a pool that can be connected to, only a script can tell that scripts run again.
      return {
        kind: 'hold',
        ...diagnosis,
        probe: isUnsent(result) && !hasNoHello(result) ? 'connect' : 'delivery',
        lasting: hasNoHello(result),
        retryAfterMs,
        fault: undefined,
      }
    case 'hold!':
      return {
        kind: 'hold',
        ...diagnosis,
        probe: 'delivery',
        retryAfterMs,
        fault: failed(diagnosis, policy, attempt, retryAfterMs),
      }
    case 'again?':
      return { kind: 'doubt', ...diagnosis, fault: undefined }
    case 'retry?':
    case 'log?':
      return { kind: 'doubt', ...diagnosis, fault: failed(diagnosis, policy, attempt, retryAfterMs) }
    case 'dead-letter?':
      return { kind: 'doubt', ...diagnosis, fault: { kind: 'dead-letter', cause: 'unread', ...diagnosis } }
    case 'retry':
      return repeat(diagnosis, policy, attempt, retryAfterMs)
    case 'dead-letter':
      return {
        kind: 'dead-letter',
        cause: isUnprocessable(result) ? 'unprocessable' : 'rejected',
        ...diagnosis,
      }
    case 'log':
      return { kind: result.kind === 'answered' ? 'refused' : 'lost', ...diagnosis }
  }
}

/** The first that fits; the last one fits whatever has been answered. */
export function rowOf(result: Result, policy: OutcomePolicy): Row {
  return TABLE.find(([, when]) => when(result, policy)) as Row
}

/** An answer that is no success, whatever it says. */
function failed(
  diagnosis: Diagnosis,
  policy: OutcomePolicy,
  attempt: number,
  retryAfterMs: number,
): FinalOutcome {
  return policy.ack === 'completed'
    ? repeat(diagnosis, policy, attempt, retryAfterMs)
    : { kind: 'refused', ...diagnosis }
}

function repeat(
  diagnosis: Diagnosis,
  { maxAttempts }: OutcomePolicy,
  attempt: number,
  retryAfterMs: number,
): FinalOutcome {
  return attempt < maxAttempts
    ? { kind: 'retry', retryAfterMs, ...diagnosis }
    : {
        kind: 'dead-letter',
        cause: 'attempts',
        ...diagnosis,
        reason: `attempt ${attempt} of ${maxAttempts}: ${diagnosis.reason}`,
      }
}

function diagnose(result: Result, policy: OutcomePolicy): Diagnosis {
  const reason = describe(result, policy)
  if (result.kind !== 'answered') return { reason }
  const { status, stderr } = result.response
  return { reason, status, stderr, subject: subjectOf(result) }
}
