import type { BridgeEvent, SessionEnd } from '../bridge/events.ts'
import type { FinishedExecution } from '../bridge/facts.ts'
import type { DeadLetterCause, FinalOutcome } from '../bridge/outcome.ts'
import { Counters } from './counters.ts'
import { Distribution } from './distribution.ts'

export interface FastCgiErrors {
  readonly code: string
  readonly phase: string
  count: number
}

/** Seconds that the clock of a publisher may be ahead of ours. What is further off is no time in seconds. */
const CLOCK_TOLERANCE = 60

/** Counts what the bridges of one queue tell, one after the other, for as long as the process lives. */
export class Meter {
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
  }
  /** Those that there were, of a closed set. */
  readonly #fastCgiErrors = new Map<string, FastCgiErrors>()

  get counts() {
    return this.#counters.counts
  }

  get fastCgiErrors(): Iterable<FastCgiErrors> {
    return this.#fastCgiErrors.values()
  }

  hear(event: BridgeEvent): void {
    this.#counters.count(event)
    switch (event.kind) {
      case 'started':
        if (event.timestamp !== undefined) this.#hearOfAge(event.timestamp)
        break
      case 'failed':
        this.#hearOfFailure(event.code, event.phase)
        break
      case 'settled':
        if (event.outcome.kind === 'dead-letter') this.deadLetters[event.outcome.cause] += 1
        this.#hearOfEnd(event.execution, event.outcome)
        break
      case 'unsettled':
        this.#hearOfEnd(event.execution, event.outcome)
        break
      case 'lost':
        if (event.why === 'no-answer') this.#observe(event.execution)
        else if (event.why === 'not-copied') this.#hearOfEnd(event.copy.execution, event.copy.outcome)
        break
      case 'session-ended':
        this.sessions[event.cause] += 1
        break
      default:
    }
  }

  #hearOfAge(timestamp: number): void {
    const age = Date.now() / 1_000 - timestamp
    if (timestamp > 0 && age > -CLOCK_TOLERANCE) this.ageSeconds.observe(Math.max(age, 0))
  }

  #hearOfFailure(code: string, phase: string): void {
    const key = `${code} ${phase}`
    const errors = this.#fastCgiErrors.get(key)
    if (errors === undefined) this.#fastCgiErrors.set(key, { code, phase, count: 1 })
    else errors.count += 1
  }

  /** What no request could be made of was not executed. */
  #hearOfEnd(execution: FinishedExecution, outcome: FinalOutcome): void {
    if (outcome.kind !== 'dead-letter' || outcome.cause !== 'unprocessable') this.#observe(execution)
  }

  #observe({ durationMs }: FinishedExecution): void {
    this.executionSeconds.observe(durationMs / 1_000)
  }
}
