import { traceIdIn } from '../payload/trace.ts'
import type { ExecutionIds, FinishedExecution } from './facts.ts'
import { type History, readHistory } from './headers.ts'
import type { BridgePolicy, Delivery } from './ports.ts'
import { isUnprocessable, MAX_UNREAD, type Result, unreadIn } from './result.ts'

type State = 'waiting' | 'started' | 'over'

/**
 * One delivery on its way to being settled, and its one execution: waits, starts, is over. Knows its ids, and whether it is acked. One
 * that has not been executed does not go back: another one begins again in its place.
 */
export class Execution implements ExecutionIds, FinishedExecution {
  readonly messageId: string | undefined
  readonly correlationId: string | undefined
  readonly type: string | undefined
  readonly traceId: string | undefined
  readonly history: History
  /** Set when it starts. */
  executionId = ''
  /** When it started, by `performance.now()`. */
  startedAt = 0
  durationMs = 0
  /** How often in a row, up to now, the pool has not read the message whole. */
  unread: number
  /** Its number: at first as the worker is told, in the end as it counts. */
  attempt: number
  /** Set where it is to find out whether anything can be executed: resolves when it is taken to be running. */
  running: Promise<unknown> | undefined = undefined
  /** Called when its request has been handed over. */
  onSent: (() => void) | undefined = undefined
  readonly #policy: BridgePolicy
  #delivery: Delivery
  #state: State = 'waiting'
  #acked = false

  /** @param before the one of the same delivery that was not executed */
  constructor(delivery: Delivery, policy: BridgePolicy, before?: Execution) {
    const { messageId, correlationId, type, headers } = delivery.properties
    this.messageId = messageId
    this.correlationId = correlationId
    this.type = type
    this.traceId = headers && traceIdIn(headers)
    this.history = before?.history ?? readHistory(delivery, policy)
    this.attempt = Math.min(this.history.executions + 1, policy.maxAttempts)
    this.unread = before?.unread ?? this.history.unread
    this.#policy = policy
    this.#delivery = delivery
  }

  /** The one to be settled. */
  get delivery(): Delivery {
    return this.#delivery
  }

  get deliveryTag(): number {
    return this.#delivery.deliveryTag
  }

  get acked(): boolean {
    return this.#acked
  }

  get over(): boolean {
    return this.#state === 'over'
  }

  get probing(): boolean {
    return this.running !== undefined
  }

  /** False once its session has ended before it was acked: then the broker delivers it again. */
  get settleable(): boolean {
    return this.#acked || this.#delivery.live
  }

  start(): void {
    this.#state = 'started'
    this.executionId = crypto.randomUUID()
    this.startedAt = performance.now()
  }

  /** Its session has ended, and its message has been delivered again: that one will be settled. */
  adopt(delivery: Delivery): void {
    this.#delivery = delivery
  }

  /**
   * Acks its message; once is enough, whatever happens to the session after that.
   *
   * @returns false where its session has ended before: then the broker delivers it again
   */
  ack(): boolean {
    if (this.#acked) return true
    this.#acked = this.#delivery.live
    if (this.#acked) this.#delivery.ack()
    return this.#acked
  }

  finish(result: Result): void {
    this.#state = 'over'
    this.durationMs = performance.now() - this.startedAt
    this.unread = unreadIn(result)
    // With the last one in a row that was left unread, those before it count, too.
    if (this.unread === MAX_UNREAD) this.attempt += MAX_UNREAD - 1
    // What cannot become a request has not been executed this time either.
    if (isUnprocessable(result)) this.attempt -= 1
  }

  /** The pool has not read it whole. @returns how often in a row */
  leftUnread(): number {
    this.unread += 1
    return this.unread
  }

  /** It was left unread since the pool was gone, or dying: that does not count. */
  forgive(): void {
    this.unread = 0
  }

  /** It was not executed: the one that begins in its place. */
  again(): Execution {
    return new Execution(this.#delivery, this.#policy, this)
  }
}
