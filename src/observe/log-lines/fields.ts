import type { Diagnosis } from '../../bridge/diagnosis.ts'
import type { Copied, ExecutionIds, FinishedExecution, Met, OutcomeCopy } from '../../bridge/facts.ts'
import type { FinalOutcome } from '../../bridge/outcome.ts'
import type { Fields } from '../logger.ts'

/** Characters of a worker's stderr that go into a log line. */
const LOGGED_STDERR = 2_048

export function executionFields(execution: ExecutionIds): Fields {
  const { deliveryTag, executionId, messageId, correlationId, type, attempt, traceId } = execution
  return {
    delivery_tag: deliveryTag,
    execution_id: executionId,
    message_id: messageId,
    correlation_id: correlationId,
    type,
    attempt,
    trace_id: traceId,
  }
}

/** Written out, since each message passes here: Node.js 20 makes a hidden class anew for each spread with something added. */
export function finishedFields(execution: FinishedExecution, outcome: FinalOutcome): Fields {
  const { deliveryTag, executionId, messageId, correlationId, type, attempt, durationMs, traceId } = execution
  const { kind, status, subject } = outcome
  return {
    delivery_tag: deliveryTag,
    execution_id: executionId,
    message_id: messageId,
    correlation_id: correlationId,
    type,
    subject,
    attempt,
    duration_ms: Math.round(durationMs),
    outcome: kind,
    status,
    trace_id: traceId,
  }
}

export function diagnosisFields({ reason, status, stderr }: Partial<Diagnosis>): Fields {
  return { reason, status, stderr: stderr?.slice(0, LOGGED_STDERR) || undefined }
}

/** An outcome that is no success. */
export function failureFields(execution: FinishedExecution, outcome: FinalOutcome): Fields {
  return { ...finishedFields(execution, outcome), ...diagnosisFields(outcome) }
}

export function outcomeCopyFields(copy: OutcomeCopy): Fields {
  const { execution, outcome } = copy
  const target =
    copy.purpose === 'retry' ? { delay_ms: copy.delayMs } : { dead_letter_queue: copy.deadLetterQueue }
  return { ...finishedFields(execution, outcome), ...target, ...diagnosisFields(outcome) }
}

/** Of a copy: what its message, and its execution, are called, and why it is made. */
export function copyFields(copy: Copied): Fields {
  switch (copy.purpose) {
    case 'retry':
    case 'dead-letter':
      return outcomeCopyFields(copy)
    case 'put-back': {
      const { execution, subject, reason } = copy
      return { ...executionFields(execution), subject, outcome: 'hold', reason }
    }
    case 'reset-delivery-count': {
      const { deliveryTag, messageId, reason } = copy
      return { delivery_tag: deliveryTag, message_id: messageId, reason }
    }
  }
}

/** Of an obstacle: why, which message met it, and what its worker, or php-fpm, said of it on stderr. */
export function obstacleFields({ reason, met }: { reason: string; met: Met | undefined }): Fields {
  if (met === undefined) return { reason }
  const { execution, diagnosis } = met
  const { executionId, messageId, type } = execution
  const { subject } = diagnosis
  return {
    execution_id: executionId,
    message_id: messageId,
    type,
    subject,
    ...diagnosisFields(diagnosis),
    reason,
  }
}
