import type { BridgeEvent } from '../../../../src/bridge/events.ts'
import type { FinishedExecution, OutcomeCopy, PutBackCopy, ResetCopy } from '../../../../src/bridge/facts.ts'
import type { LogLevel } from '../../../../src/observe/logger.ts'

/*
 * What the events of the tables are about, and what lines have of it.
 */

/** An event, and its line. */
export type Row = readonly [
  event: BridgeEvent,
  level: LogLevel,
  sentence: string,
  fields: Readonly<Record<string, unknown>>,
]

export const EXECUTION: FinishedExecution = {
  deliveryTag: 7,
  executionId: 'e-1',
  messageId: 'm-1',
  correlationId: 'c-1',
  type: 'invoice',
  attempt: 2,
  traceId: '0af7651916cd43dd8448eb211c80319c',
  durationMs: 30,
}
/** Its ids, as they are in a line. */
export const IDS = {
  delivery_tag: 7,
  execution_id: 'e-1',
  message_id: 'm-1',
  correlation_id: 'c-1',
  type: 'invoice',
  attempt: 2,
  trace_id: '0af7651916cd43dd8448eb211c80319c',
}
const ENDED = { ...IDS, duration_ms: 30 }
export const DIAGNOSIS = { reason: 'a reason', status: 503, stderr: 'busy', subject: 'App\\Send' }
export const FINISHED = { ...ENDED, subject: undefined }
export const FAILED = { ...ENDED, ...DIAGNOSIS }

export const RETRY: OutcomeCopy = {
  purpose: 'retry',
  execution: EXECUTION,
  outcome: { kind: 'retry', retryAfterMs: 0, ...DIAGNOSIS },
  delayMs: 2_000,
}
export const DEAD: OutcomeCopy = {
  purpose: 'dead-letter',
  execution: EXECUTION,
  outcome: { kind: 'dead-letter', cause: 'rejected', ...DIAGNOSIS },
  deadLetterQueue: 'q.dead',
}
export const PUT_BACK: PutBackCopy = {
  purpose: 'put-back',
  execution: EXECUTION,
  queue: 'q',
  reason: 'no script',
  subject: 'App',
}
export const RESET: ResetCopy = {
  purpose: 'reset-delivery-count',
  deliveryTag: 7,
  messageId: 'm-1',
  queue: 'q',
  reason: 'it has come back 10 times',
}
export const RETRIED = { ...FAILED, outcome: 'retry', delay_ms: 2_000 }
export const DEAD_LETTERED = { ...FAILED, outcome: 'dead-letter', dead_letter_queue: 'q.dead' }
export const PUT = { ...IDS, subject: 'App', outcome: 'hold', reason: 'no script' }
export const MET = { execution: EXECUTION, diagnosis: DIAGNOSIS }

/** An outcome's copy is in its queue. */
export const settledBy = (copy: OutcomeCopy, parked?: number): BridgeEvent => {
  const { execution, outcome } = copy
  return { kind: 'settled', by: 'copy', execution, outcome, copy, copyTo: 'q.x', acked: true, parked }
}
