import type { BridgeEvent } from '../bridge/events.ts'
import type { Counts } from './counters.ts'
import { executionTimeOf } from './execution-time.ts'
import { type Durations, Histogram } from './histogram.ts'
import type { Log } from './logger.ts'
import type { BridgeView } from './views.ts'

const MINUTE = 60_000

/** What a bridge knows of itself. */
type Seen = Pick<BridgeView, 'counts' | 'inFlight' | 'waiting'>

/**
 * Says once a minute what a bridge has done in it, and nothing of a minute without messages. It keeps nothing for each of them, and
 * no process running.
 */
export class Minute {
  readonly #log: Pick<Log, 'info'>
  readonly #look: () => Seen
  readonly #timer = setInterval(() => this.#say(), MINUTE).unref()
  /** Of those that ended in this minute; none of them, none. */
  #times: Histogram | undefined
  /** The same of the minute before. */
  #timesBefore: Durations | undefined
  /** At its beginning. */
  #before: Partial<Counts> = {}

  /** @param look is asked at the end of each minute; its counts only grow */
  constructor(log: Pick<Log, 'info'>, look: () => Seen) {
    this.#log = log
    this.#look = look
  }

  hear(event: BridgeEvent): void {
    const time = executionTimeOf(event)
    if (time === undefined) return
    this.#times ??= new Histogram()
    this.#times.add(time)
  }

  /** How long executions took that ended in this minute, or, as long as there is none, in the one before; undefined: none did. */
  get times(): Durations | undefined {
    return this.#times?.durations ?? this.#timesBefore
  }

  /** Says nothing more. Idempotent. */
  end(): void {
    clearInterval(this.#timer)
  }

  #say(): void {
    const { counts, inFlight, waiting } = this.#look()
    const before = this.#before
    const messages = Object.entries(counts).map(
      ([outcome, count]) => [outcome, count - (before[outcome as keyof Counts] ?? 0)] as const,
    )
    this.#timesBefore = this.#times?.durations
    const { p50, p95 } = this.#timesBefore ?? {}
    this.#before = { ...counts }
    this.#times = undefined
    // What is executed for longer than a minute is something.
    if (p50 === undefined && inFlight === 0 && messages.every(([, count]) => count === 0)) return
    this.#log.info('The last minute.', {
      messages: Object.fromEntries(messages),
      p50_ms: p50,
      p95_ms: p95,
      in_flight: inFlight,
      waiting,
    })
  }
}
