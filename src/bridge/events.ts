import type { FastCgiTimings } from '../fastcgi/types.ts'
import type { Diagnosis } from './diagnosis.ts'
import type { FinalOutcome } from './outcome.ts'

/*
 * What a bridge tells: facts, each once, at the moment it is true. Log lines, counters and whatever else looks at a bridge
 * subscribe to them, and make of each what they like. Durations are in milliseconds, sizes in bytes.
 */

/** Hears each event when it is true. Must not throw, and is not waited for. */
export type Tell = (event: BridgeEvent) => void

export type BridgeEvent = DeliveryEvent | CopyEvent | HoldEvent | BrokerEvent | BridgeLifeEvent

/** One execution of one delivery; `attempt` is its number among those of its message, from 1. */
export interface ExecutionIds {
  readonly deliveryTag: number
  readonly executionId: string
  readonly messageId: string | undefined
  readonly correlationId: string | undefined
  /** The message's, as its publisher set it. */
  readonly type: string | undefined
  readonly attempt: number
}

export interface FinishedExecution extends ExecutionIds {
  readonly durationMs: number
}

/** A delivery on its way, in the order in which it meets them. */
export type DeliveryEvent =
  | {
      readonly kind: 'delivered'
      readonly deliveryTag: number
      readonly messageId: string | undefined
      readonly redelivered: boolean
      readonly bytes: number
    }
  /** Its message is being executed already, for a session that has ended: that execution settles it. */
  | { readonly kind: 'adopted'; readonly deliveryTag: number; readonly messageId: string | undefined }
  /** `waitedMs`: since it was delivered. */
  | {
      readonly kind: 'started'
      readonly execution: ExecutionIds
      readonly bytes: number
      readonly waitedMs: number
    }
  | {
      readonly kind: 'param-left-out'
      readonly execution: ExecutionIds
      readonly param: string
      readonly why: string
    }
  /** The last byte of its request is in the socket. Told again where the request is sent once more. */
  | { readonly kind: 'sent'; readonly execution: ExecutionIds }
  | {
      readonly kind: 'answered'
      readonly execution: ExecutionIds
      readonly status: number
      readonly timings: FastCgiTimings
    }
  /** The worker says success; PHP had left out fields of its form. */
  | { readonly kind: 'fields-dropped'; readonly execution: ExecutionIds; readonly stderr: string }
  /** It was not executed, and waits again. `probing`: it was to find out whether anything can be executed. */
  | {
      readonly kind: 'held'
      readonly execution: ExecutionIds
      readonly reason: string
      readonly probing: boolean
    }
  /** The broker has its ack: since now, or since it was sent. */
  | {
      readonly kind: 'settled'
      readonly by: 'ack'
      readonly execution: FinishedExecution
      readonly outcome: Extract<FinalOutcome, { kind: 'executed' | 'refused' }>
    }
  | CopySettledEvent
  /** Neither arrived, since its session has ended, or the daemon gives up: the broker delivers it again. */
  | {
      readonly kind: 'unsettled'
      readonly execution: FinishedExecution
      readonly outcome: FinalOutcome
      readonly copy: OutcomeCopy | undefined
    }
  | LostEvent

/**
 * The copy is in its queue, and the original is acked; `acked` is false where its session had ended: the broker delivers it again
 * beside the copy. `parked`: of a message that was, how many still are.
 */
export interface CopySettledEvent {
  readonly kind: 'settled'
  readonly by: 'copy'
  readonly execution: FinishedExecution
  readonly outcome: OutcomeCopy['outcome']
  readonly copy: OutcomeCopy
  readonly copyTo: string
  readonly acked: boolean
  readonly parked: number | undefined
}

/** Acked, and nobody will know whether it was executed; or nobody will execute it. */
export type LostEvent =
  | {
      readonly kind: 'lost'
      readonly why: 'no-answer'
      readonly execution: FinishedExecution
      readonly diagnosis: Diagnosis
    }
  /** It was not published before the daemon gave up. */
  | { readonly kind: 'lost'; readonly why: 'not-copied'; readonly copy: OutcomeCopy }
  | { readonly kind: 'lost'; readonly why: 'not-put-back'; readonly copy: PutBackCopy }
  /** It was still being executed when the process ended. */
  | { readonly kind: 'lost'; readonly why: 'abandoned'; readonly execution: ExecutionIds }

/** A copy of a message, and what it is made for. */
export type Copied = OutcomeCopy | PutBackCopy | ResetCopy

/** What an outcome asks for. */
export type OutcomeCopy =
  | {
      readonly purpose: 'retry'
      readonly execution: FinishedExecution
      readonly outcome: Extract<FinalOutcome, { kind: 'retry' }>
      readonly delayMs: number
    }
  | {
      readonly purpose: 'dead-letter'
      readonly execution: FinishedExecution
      readonly outcome: Extract<FinalOutcome, { kind: 'dead-letter' }>
      readonly deadLetterQueue: string
    }

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

/** Copies of messages. `copyTo` is the queue that they go to. What an outcome asks for ends in `settled`. */
export type CopyEvent =
  | { readonly kind: 'put-back'; readonly copy: PutBackCopy }
  | { readonly kind: 'delivery-count-reset'; readonly copy: ResetCopy }
  /** Tried again until it succeeds. `repeated`: for the same cause as the time before. */
  | {
      readonly kind: 'copy-failed'
      readonly copy: Copied
      readonly copyTo: string
      readonly cause: string
      readonly attempt: number
      readonly repeated: boolean
    }
  | { readonly kind: 'headers-left-out'; readonly copy: Copied; readonly cause: string }
  | {
      readonly kind: 'queue-passed-over'
      readonly copy: Copied
      readonly passedOver: string
      readonly copyTo: string
    }
  /** `parked`: how many are by now. */
  | {
      readonly kind: 'parked'
      readonly copy: Copied
      readonly copyTo: string
      readonly cause: string
      readonly parked: number
    }
  /** The broker has delivered it again. */
  | { readonly kind: 'parked-again'; readonly copy: Copied; readonly copyTo: string }
  | {
      readonly kind: 'parking-full'
      readonly copy: Copied
      readonly copyTo: string
      readonly parked: number
      readonly bytes: number
    }
  | { readonly kind: 'parked-handed-back'; readonly summary: ParkedSummary }
  | { readonly kind: 'still-parked'; readonly summary: ParkedSummary; readonly bytes: number }

/** What met an obstacle, where a worker or php-fpm has answered for it. */
export interface Met {
  readonly execution: ExecutionIds
  readonly diagnosis: Diagnosis
}

/** Nothing can be executed. */
export type HoldEvent =
  | { readonly kind: 'hold-began'; readonly reason: string; readonly met: Met | undefined }
  | { readonly kind: 'hold-changed'; readonly reason: string; readonly met: Met | undefined }
  | { readonly kind: 'hold-over'; readonly heldMs: number }

/** The bridge and its brokers. `broker` is its URL, without the password. */
export type BrokerEvent =
  | { readonly kind: 'broker-unverified'; readonly broker: string }
  /** Another one of the list was taken. */
  | { readonly kind: 'broker-passed-over'; readonly reason: string }
  | {
      readonly kind: 'consuming'
      readonly broker: string
      readonly queue: string
      readonly prefetch: number
    }
  /** Tried again until it works. Told once for each reason in a row. */
  | { readonly kind: 'not-consuming'; readonly reason: string }
  /** Another one is opened. `brokerConsumerTimeoutMs`: where the broker ended it since a delivery was unacked for so long. */
  | {
      readonly kind: 'session-ended'
      readonly reason: string
      readonly brokerConsumerTimeoutMs: number | undefined
    }
  /** What waited has gone back to the broker. */
  | { readonly kind: 'paused' }
  | { readonly kind: 'resumed' }
  /** `transient`: the queue loses messages some day; `unknown`: the user may not ask. */
  | {
      readonly kind: 'queue-finding'
      readonly finding: 'transient' | 'unknown'
      readonly queue: string
      readonly reason: string
    }
  | { readonly kind: 'queue-silent'; readonly queue: string; readonly remedy: string }
  | { readonly kind: 'broker-blocked'; readonly reason: string }
  | { readonly kind: 'broker-unblocked' }
  | {
      readonly kind: 'consumer-timeout-short'
      readonly brokerConsumerTimeoutMs: number
      readonly consumerTimeoutMs: number
      readonly timeoutMs: number
    }

/** The bridge itself, and the pool it has. */
export type BridgeLifeEvent =
  | {
      readonly kind: 'starting'
      readonly pid: number
      readonly pool: string
      readonly script: string
      readonly payload: string
      readonly concurrency: number
    }
  /** Tried again until it works. */
  | { readonly kind: 'copies-not-prepared'; readonly reason: string; readonly attempt: number }
  /** A script may run for longer than the broker waits for an ack. */
  | { readonly kind: 'executions-endless'; readonly consumerTimeoutMs: number }
  | {
      readonly kind: 'pool-described'
      readonly poolKind: string
      readonly children: number
      readonly ping: boolean
    }
  | { readonly kind: 'pool-kind-unknown'; readonly statusPath: string; readonly ping: boolean }
  | { readonly kind: 'pool-silent'; readonly reason: string }
  | { readonly kind: 'children-too-few'; readonly children: number; readonly concurrency: number }
  /** `aheadSeconds`: the clock of the pool, before ours. */
  | { readonly kind: 'clock-differs'; readonly aheadSeconds: number }
