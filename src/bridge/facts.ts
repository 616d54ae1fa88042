import type { PauseNote } from '../control/protocol.ts'
import type { Diagnosis } from './diagnosis.ts'
import type { FinalOutcome } from './outcome.ts'

/*
 * What events speak of.
 */

/** One execution of one delivery; `attempt` is its number among those of its message, from 1. */
export interface ExecutionIds {
  readonly deliveryTag: number
  readonly executionId: string
  readonly messageId: string | undefined
  readonly correlationId: string | undefined
  /** The message's, as its publisher set it. */
  readonly type: string | undefined
  readonly attempt: number
  /** Of the trace that the message belongs to, by its `traceparent`. */
  readonly traceId?: string | undefined
}

export interface FinishedExecution extends ExecutionIds {
  /** Not rounded. */
  readonly durationMs: number
}

/**
 * Why there is no reply: `not-allowed`: `reply_to` is none that may be answered; `unroutable`: there is no such queue; `not-taken`:
 * the queue is full, or has no leader; `refused`: the broker takes no such message, as where it is too large; `forbidden`: the user may
 * not publish; `broker`: any other fault of the connection; `late`: it took too long.
 */
export type ReplyFailure =
  | 'not-allowed'
  | 'unroutable'
  | 'not-taken'
  | 'refused'
  | 'forbidden'
  | 'broker'
  | 'late'

/** What met an obstacle, where a worker or php-fpm has answered for it. */
export interface Met {
  readonly execution: ExecutionIds
  readonly diagnosis: Diagnosis
}

/** Why a bridge takes no messages, though it could. `queue`: its queue is paused, for all daemons; `drain`: this one has been told to. */
export type PauseCause = { readonly kind: 'queue'; readonly note: PauseNote } | { readonly kind: 'drain' }

/** A copy of a message, and what it is made for. */
export type Copied = OutcomeCopy | PutBackCopy | ResetCopy

/** What an outcome asks for. */
export type OutcomeCopy =
  | Readonly<{
      purpose: 'retry'
      execution: FinishedExecution
      outcome: Extract<FinalOutcome, { kind: 'retry' }>
      delayMs: number
    }>
  | Readonly<{
      purpose: 'dead-letter'
      execution: FinishedExecution
      outcome: Extract<FinalOutcome, { kind: 'dead-letter' }>
      deadLetterQueue: string
    }>

/** For its own queue: the message was acked when it was dispatched, and not executed. */
export interface PutBackCopy {
  readonly purpose: 'put-back'
  readonly execution: ExecutionIds
  readonly queue: string
  readonly reason: string
  readonly subject: string | undefined
}

/** For its own queue, as a new message: a quorum queue drops what comes back too often. */
export interface ResetCopy {
  readonly purpose: 'reset-delivery-count'
  readonly deliveryTag: number
  readonly messageId: string | undefined
  readonly queue: string
  readonly reason: string
}

/** Several parked messages; of the lists only the first ones. */
export interface ParkedSummary {
  readonly parked: number
  readonly copyTo: readonly string[]
  readonly causes: readonly string[]
  readonly messageIds: readonly (string | undefined)[]
}
