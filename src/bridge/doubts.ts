import { messageKey } from './message-key.ts'
import type { Delivery } from './ports.ts'
import type { ExecutionReport } from './runner.ts'

/** So many different messages fail one after the other before it is taken for the fault of none of them. */
const IN_A_ROW = 3
/** Milliseconds for which a message waits for others to tell whose fault it is. */
const PATIENCE = 1_000
/** So often it is believed of one message that it shows that nothing can be executed, while others can. */
const MAX_FALSE_ALARMS = 3
/** Milliseconds without any alarm after which those before are forgotten. */
const MEMORY = 3_600_000
/** So many messages are remembered at most. */
const MAX_REMEMBERED = 1_000

interface Entry {
  readonly suspect: ExecutionReport
  readonly since: number
  readonly timer: NodeJS.Timeout
}

/**
 * Whose fault is it: the message's, or can nothing be executed, such as after a broken deploy? What fails in a way that may be
 * either waits until others have told. One that succeeds, begun after the failure, proves it the message's fault; so does it
 * when nobody else comes. Several different ones that fail, and none that succeeds between them, prove the other.
 */
export class Doubts {
  readonly #onFault: (suspect: ExecutionReport) => void
  readonly #entries = new Set<Entry>()
  /** When each message failed last, since the last that succeeded. */
  readonly #failures = new Map<string, number>()
  /** When each first had it believed that nothing can be executed, since one succeeded that was begun later. */
  readonly #alarms = new Map<string, number>()
  /** How often others succeeded all the same. */
  readonly #falseAlarms = new Map<string, number>()
  #lastAlarm = 0

  /** @param onFault told of each suspect that is at fault itself */
  constructor(onFault: (suspect: ExecutionReport) => void) {
    this.#onFault = onFault
  }

  /** How many wait. */
  get size(): number {
    return this.#entries.size
  }

  /** @returns whether by now it is nobody's fault: nothing can be executed */
  count(delivery: Delivery): boolean {
    if (this.#failures.size < IN_A_ROW) this.#failures.set(messageKey(delivery), performance.now())
    return this.#failures.size >= IN_A_ROW
  }

  /** Has a delivery wait until it is known whose fault it is. */
  add(suspect: ExecutionReport): void {
    const timer = setTimeout(() => this.#blame(entry), PATIENCE)
    const entry: Entry = { suspect, since: performance.now(), timer }
    this.#entries.add(entry)
  }

  /** What became of this one says that nothing can be executed. @returns false when that has proved wrong too often */
  believe(delivery: Delivery): boolean {
    const key = messageKey(delivery)
    const now = performance.now()
    if (now - this.#lastAlarm > MEMORY || this.#falseAlarms.size > MAX_REMEMBERED) this.#falseAlarms.clear()
    this.#lastAlarm = now
    if ((this.#falseAlarms.get(key) ?? 0) >= MAX_FALSE_ALARMS) return false
    if (!this.#alarms.has(key) && this.#alarms.size < MAX_REMEMBERED) this.#alarms.set(key, now)
    return true
  }

  /** It is put at fault itself: its next attempt is believed again. */
  forget(delivery: Delivery): void {
    this.#falseAlarms.delete(messageKey(delivery))
  }

  /** A worker has answered for a message that was begun at `startedAt` (of `performance.now()`). */
  clear(startedAt: number): void {
    if (this.#failures.size === 0 && this.#alarms.size === 0) return
    for (const [key, failedAt] of this.#failures) if (failedAt <= startedAt) this.#failures.delete(key)
    for (const [key, raisedAt] of this.#alarms) {
      if (raisedAt > startedAt) continue
      this.#alarms.delete(key)
      this.#falseAlarms.set(key, (this.#falseAlarms.get(key) ?? 0) + 1)
    }
    for (const entry of this.#entries) if (entry.since <= startedAt) this.#blame(entry)
  }

  /** All that wait, who do so no longer: it is nobody's fault, or does not matter any more. */
  takeAll(): readonly ExecutionReport[] {
    const all = [...this.#entries]
    this.#entries.clear()
    for (const { timer } of all) clearTimeout(timer)
    return all.map(({ suspect }) => suspect)
  }

  #blame(entry: Entry): void {
    clearTimeout(entry.timer)
    this.#entries.delete(entry)
    this.#onFault(entry.suspect)
  }
}
