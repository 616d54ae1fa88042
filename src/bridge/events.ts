import type { FastCgiErrorCode, FastCgiPhase, FastCgiTimings } from '../fastcgi/types.ts'
import type { Diagnosis } from './diagnosis.ts'
import type {
  Copied,
  ExecutionIds,
  FinishedExecution,
  Met,
  OutcomeCopy,
  ParkedSummary,
  PauseCause,
  PutBackCopy,
  ReplyFailure,
  ResetCopy,
} from './facts.ts'
import type { FinalOutcome } from './outcome.ts'

/*
 * What a bridge tells: facts, each once, at the moment it is true. Log lines, counters and whatever else looks at a bridge
 * subscribe to them, and make of each what they like. Durations are in milliseconds, sizes in bytes.
 */

/** Hears each event when it is true. Must not throw, and is not waited for. */
export type Tell = (event: BridgeEvent) => void

export type BridgeEvent =
  | DeliveryEvent
  | ReplyEvent
  | CopyEvent
  | HoldEvent
  | PauseEvent
  | ControlEvent
  | BrokerEvent
  | BridgeLifeEvent

/** A delivery on its way, in the order in which it meets them. */
export type DeliveryEvent =
  | Readonly<{
      kind: 'delivered'
      deliveryTag: number
      messageId: string | undefined
      redelivered: boolean
      bytes: number
    }>
  /** Its message is being executed already, for a session that has ended: that execution settles it. */
  | Readonly<{ kind: 'adopted'; deliveryTag: number; messageId: string | undefined }>
  /** `timestamp`: seconds since the epoch, as its publisher set them. */
  | Readonly<{
      kind: 'started'
      execution: ExecutionIds
      timestamp: number | undefined
    }>
  | Readonly<{ kind: 'param-left-out'; execution: ExecutionIds; param: string; why: string }>
  /** The last byte of its request is in the socket. Told again where the request is sent once more. */
  | Readonly<{ kind: 'sent'; execution: ExecutionIds }>
  | Readonly<{ kind: 'answered'; execution: ExecutionIds; status: number; timings: FastCgiTimings }>
  /** There is no complete answer to its request, or to the first of two. */
  | Readonly<{ kind: 'failed'; execution: ExecutionIds; code: FastCgiErrorCode; phase: FastCgiPhase }>
  /** The worker says success; PHP had left out fields of its form. */
  | Readonly<{ kind: 'fields-dropped'; execution: ExecutionIds; stderr: string }>
  /** The worker says success, and something else on stderr. What it says of a failure is part of the outcome. */
  | Readonly<{ kind: 'stderr-written'; execution: ExecutionIds; stderr: string }>
  /** It was not executed, and waits again. `probing`: it was to find out whether anything can be executed. */
  | Readonly<{ kind: 'held'; execution: ExecutionIds; reason: string; probing: boolean }>
  /** The broker has its ack: since now, or since it was sent. */
  | Readonly<{
      kind: 'settled'
      by: 'ack'
      execution: FinishedExecution
      outcome: Extract<FinalOutcome, { kind: 'executed' | 'refused' }>
    }>
  | CopySettledEvent
  /** Neither arrived, since its session has ended, or the daemon gives up: the broker delivers it again. */
  | Readonly<{
      kind: 'unsettled'
      execution: FinishedExecution
      outcome: FinalOutcome
      copy: OutcomeCopy | undefined
    }>
  | LostEvent

/** Answers to messages with a `reply_to`, where the bridge gives any. `bytes`: of the body. */
export type ReplyEvent =
  /** It is in its queue. Of a direct reply-to: the broker has read it; whether anybody gets it, nobody knows. */
  | Readonly<{ kind: 'reply-published'; execution: FinishedExecution; replyTo: string; bytes: number }>
  /** It is not tried again; the message goes on. */
  | Readonly<{
      kind: 'reply-failed'
      execution: FinishedExecution
      replyTo: string
      why: ReplyFailure
      reason: string
    }>

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
  | Readonly<{ kind: 'lost'; why: 'no-answer'; execution: FinishedExecution; diagnosis: Diagnosis }>
  /** It was not published before the daemon gave up. */
  | Readonly<{ kind: 'lost'; why: 'not-copied'; copy: OutcomeCopy }>
  | Readonly<{ kind: 'lost'; why: 'not-put-back'; copy: PutBackCopy }>
  /** It was still being executed when the process ended. */
  | Readonly<{ kind: 'lost'; why: 'abandoned'; execution: ExecutionIds }>

/** Copies of messages. `copyTo` is the queue that they go to. What an outcome asks for ends in `settled`. */
export type CopyEvent =
  | Readonly<{ kind: 'put-back'; copy: PutBackCopy }>
  | Readonly<{ kind: 'delivery-count-reset'; copy: ResetCopy }>
  /** Tried again until it succeeds. `repeated`: for the same cause as the time before. */
  | Readonly<{
      kind: 'copy-failed'
      copy: Copied
      copyTo: string
      cause: string
      attempt: number
      repeated: boolean
    }>
  | Readonly<{ kind: 'headers-left-out'; copy: Copied; cause: string }>
  | Readonly<{ kind: 'queue-passed-over'; copy: Copied; passedOver: string; copyTo: string }>
  /** `parked`: how many are by now. */
  | Readonly<{ kind: 'parked'; copy: Copied; copyTo: string; cause: string; parked: number }>
  /** The broker has delivered it again. */
  | Readonly<{ kind: 'parked-again'; copy: Copied; copyTo: string }>
  | Readonly<{ kind: 'parking-full'; copy: Copied; copyTo: string; parked: number; bytes: number }>
  | Readonly<{ kind: 'parked-handed-back'; summary: ParkedSummary }>
  | Readonly<{ kind: 'still-parked'; summary: ParkedSummary; bytes: number }>

/** Nothing can be executed. */
export type HoldEvent =
  /** `lasting`: until somebody mends what is wrong. */
  | Readonly<{ kind: 'hold-began'; reason: string; met: Met | undefined; lasting: boolean }>
  | Readonly<{ kind: 'hold-changed'; reason: string; met: Met | undefined; lasting: boolean }>
  | Readonly<{ kind: 'hold-over'; heldMs: number }>
  /** It lasts for so long that what waits goes back to the broker. */
  | Readonly<{ kind: 'intake-paused' }>
  | Readonly<{ kind: 'intake-resumed' }>

/** Operators want nothing to be executed, or that to be over. */
export type PauseEvent =
  | Readonly<{ kind: 'pause-began'; cause: PauseCause }>
  /** Its marker says something else. */
  | Readonly<{ kind: 'pause-changed'; cause: PauseCause }>
  | Readonly<{ kind: 'pause-over'; cause: PauseCause['kind']; stillPaused: boolean }>
  /** The user may not look for the marker, or take it away: the bridge goes on as if there were none. */
  | Readonly<{ kind: 'pause-unknown'; reason: string }>

/** What operators tell this process by way of the broker. */
export type ControlEvent =
  /** Commands come by the exchange: at first, and after a refusal. */
  | Readonly<{ kind: 'control-open'; broker: string; exchange: string }>
  /** Tried again each minute. Told once for each reason in a row. */
  | Readonly<{ kind: 'control-refused'; reason: string }>
  | Readonly<{ kind: 'answers-refused'; reason: string }>
  | Readonly<{ kind: 'answer-failed'; replyTo: string; reason: string }>
  | Readonly<{ kind: 'commanded'; verb: string; queue: string | undefined }>
  /** The last one of so many since it was told before. */
  | Readonly<{ kind: 'command-ignored'; reason: string; count: number }>
  /** It came in the work queue, and is acked. `refusal`: why a ping is not answered to its `reply_to`. */
  | Readonly<{
      kind: 'control-message'
      verb: 'ping' | 'shutdown'
      deliveryTag: number
      messageId: string | undefined
      replyTo: string | undefined
      refusal: string | undefined
    }>

/** Why a session ended: its connection, its channel, its consumer, or a delivery that was unacked for too long. */
export type SessionEnd = 'connection-lost' | 'channel-closed' | 'consumer-cancelled' | 'consumer-timeout'

/** The bridge and its brokers. `broker` is its URL, without the password. */
export type BrokerEvent =
  | Readonly<{ kind: 'broker-unverified'; broker: string }>
  /** Another one of the list was taken. */
  | Readonly<{ kind: 'broker-passed-over'; reason: string }>
  | Readonly<{ kind: 'consuming'; broker: string; queue: string; prefetch: number }>
  /** Tried again until it works. Told once for each reason in a row. */
  | Readonly<{ kind: 'not-consuming'; reason: string }>
  /** Another one is opened. `brokerConsumerTimeoutMs`: where the broker ended it since a delivery was unacked for so long. */
  | Readonly<{
      kind: 'session-ended'
      reason: string
      cause: SessionEnd
      brokerConsumerTimeoutMs: number | undefined
    }>
  /** `transient`: the queue loses messages some day; `unknown`: the user may not ask. */
  | Readonly<{ kind: 'queue-finding'; finding: 'transient' | 'unknown'; queue: string; reason: string }>
  | Readonly<{ kind: 'queue-silent'; queue: string; remedy: string }>
  | Readonly<{ kind: 'broker-blocked'; reason: string }>
  | Readonly<{ kind: 'broker-unblocked' }>
  | Readonly<{
      kind: 'consumer-timeout-short'
      brokerConsumerTimeoutMs: number
      consumerTimeoutMs: number
      timeoutMs: number
    }>

/** The bridge itself, and the pool it has, perhaps beside other bridges. */
export type BridgeLifeEvent =
  | Readonly<{
      kind: 'starting'
      pid: number
      pool: string
      script: string
      ack: string
      payload: string
      concurrency: number
    }>
  /** Tried again until it works. */
  | Readonly<{ kind: 'copies-not-prepared'; reason: string; attempt: number }>
  /** A script may run for longer than the broker waits for an ack. */
  | Readonly<{ kind: 'executions-endless'; consumerTimeoutMs: number }>
  | Readonly<{ kind: 'pool-shared'; pool: string; bridges: readonly string[]; concurrency: number }>
  | Readonly<{ kind: 'pool-described'; pool: string; poolKind: string; children: number; ping: boolean }>
  | Readonly<{ kind: 'pool-kind-unknown'; pool: string; statusPath: string; ping: boolean }>
  | Readonly<{ kind: 'pool-silent'; pool: string; reason: string }>
  | Readonly<{ kind: 'children-too-few'; pool: string; children: number; concurrency: number }>
  /** `aheadSeconds`: the clock of the pool, before ours. */
  | Readonly<{ kind: 'clock-differs'; aheadSeconds: number }>
