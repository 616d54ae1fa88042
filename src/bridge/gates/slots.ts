import type { Execution } from '../execution.ts'
import type { BridgePolicy } from '../ports.ts'
import { isCutOff, type Result } from '../result.ts'
import { type Answer, type Gate, UNTIL_TOLD } from './gate.ts'

/**
 * Milliseconds for which a slot stays empty whose request was cut off. Where a pool dies, its children do so one after the
 * other, and until the last one has, its socket takes requests that none of them will execute.
 */
const REST_AFTER_CUT_OFF = 100

/**
 * A slot is taken until the answer has ended, even where the delivery was acked as soon as it was dispatched. Settling takes
 * none, as long as no more than `prefetch` are being settled.
 */
export class Slots implements Gate {
  readonly #prefetch: number
  readonly #each: number
  #concurrency: number
  #taken = 0
  #settling = 0
  #wake: () => void = () => {}

  /** @param each executions that one slot has room for: one, or those that one request carries at the same time */
  constructor({ concurrency, prefetch }: Pick<BridgePolicy, 'concurrency' | 'prefetch'>, each = 1) {
    this.#each = each
    this.#concurrency = concurrency
    this.#prefetch = prefetch
  }

  /** Requests at the same time, at most. */
  get concurrency(): number {
    return this.#concurrency
  }

  /** May change at any time; what runs goes on. At least 1. */
  set concurrency(value: number) {
    this.#concurrency = value
    this.#wake()
  }

  get hasFree(): boolean {
    return this.#taken < this.#concurrency * this.#each
  }

  /** Executing, or not settled yet. */
  get inFlight(): number {
    return this.#taken + this.#settling
  }

  admits(): Answer {
    return this.hasFree && this.#settling < this.#prefetch ? 'yes' : UNTIL_TOLD
  }

  open(wake: () => void): void {
    this.#wake = wake
  }

  onStart(): void {
    this.#taken += 1
  }

  onEnd(_: Execution, result: Result): void {
    if (isCutOff(result)) {
      setTimeout(() => {
        this.#taken -= 1
        this.#wake()
      }, REST_AFTER_CUT_OFF)
    } else this.#taken -= 1
  }

  /** A message that is executed is being settled, until this has resolved. */
  hold(settled: Promise<void>): void {
    this.#settling += 1
    void settled.then(() => {
      this.#settling -= 1
      this.#wake()
    })
  }
}
