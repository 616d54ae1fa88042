import type { BridgeEvent, SessionEnd, Tell } from '../bridge/events.ts'
import type { DeadLetterCause } from '../bridge/outcome.ts'
import { Counters } from './counters.ts'
import { Distribution } from './distribution.ts'
import { executionTimeOf } from './execution-time.ts'
import { ageOf } from './message-age.ts'
import type { Totals, TotalsByQueue } from './totals.ts'

/** Counts what the bridges of one queue tell, one after the other, for as long as the process lives. */
export class Meter implements Totals {
  readonly #counters = new Counters()
  readonly executionSeconds = new Distribution()
  readonly ageSeconds = new Distribution()
  readonly sessions: Record<SessionEnd, number> = {
    'connection-lost': 0,
    'channel-closed': 0,
    'consumer-cancelled': 0,
    'consumer-timeout': 0,
  }
  readonly deadLetters: Record<DeadLetterCause, number> = {
    unprocessable: 0,
    rejected: 0,
    attempts: 0,
    unread: 0,
    control: 0,
  }
  readonly fastCgiErrors: Record<string, number> = {}

  get counts() {
    return this.#counters.counts
  }

  /** As plain data, which changes with what is heard. */
  get totals(): Totals {
    const { counts, executionSeconds, ageSeconds, sessions, deadLetters, fastCgiErrors } = this
    return {
      counts,
      executionSeconds: { counts: executionSeconds.counts, sum: executionSeconds.sum },
      ageSeconds: { counts: ageSeconds.counts, sum: ageSeconds.sum },
      sessions,
      deadLetters,
      fastCgiErrors,
    }
  }

  hear(event: BridgeEvent): void {
    this.#counters.count(event)
    const time = executionTimeOf(event)
    if (time !== undefined) this.executionSeconds.observe(time / 1_000)
    switch (event.kind) {
      case 'started':
        if (event.timestamp !== undefined) this.#hearOfAge(event.timestamp)
        break
      case 'failed':
        this.#hearOfFailure(event.code, event.phase)
        break
      case 'settled':
        if (event.outcome.kind === 'dead-letter') this.deadLetters[event.outcome.cause] += 1
        break
      case 'session-ended':
        this.sessions[event.cause] += 1
        break
      default:
    }
  }

  #hearOfAge(timestamp: number): void {
    const age = ageOf(timestamp)
    if (age !== undefined) this.ageSeconds.observe(age)
  }

  #hearOfFailure(code: string, phase: string): void {
    const key = `${code} ${phase}`
    this.fastCgiErrors[key] = (this.fastCgiErrors[key] ?? 0) + 1
  }
}

/** The meters of a process, one for each queue that it has had. */
export class Meters {
  readonly #byQueue = new Map<string, Meter>()

  get totals(): TotalsByQueue {
    return Object.fromEntries([...this.#byQueue].map(([queue, { totals }]) => [queue, totals]))
  }

  /** @returns what the bridge of that queue is to tell; the one that takes its place goes on with its counts */
  subscriber(queue: string): Tell {
    const meter = this.#byQueue.get(queue) ?? new Meter()
    this.#byQueue.set(queue, meter)
    return (event) => meter.hear(event)
  }
}
