import type { BridgeEvent } from '../bridge/events.ts'
import { Counters, type Counts } from '../observe/counters.ts'
import { type Durations, Histogram } from '../observe/histogram.ts'
import { peakMemory, residentMemory } from './resident-memory.ts'

/** Why a process has ended. `control`: a message in its queue said so; `fault`: of fpm-bridge itself. */
export type EndReason =
  | NodeJS.Signals
  | 'max-messages'
  | 'max-memory'
  | 'supervisor-gone'
  | 'control'
  | 'refused'
  | 'fault'

/** What is left of a process when it has ended. Memory in bytes, durations in milliseconds. */
export interface ProcessRecord {
  readonly daemon_id: string
  readonly pid: number
  readonly queues: readonly string[]
  /** ISO 8601, as is `end`. */
  readonly start: string
  readonly end: string
  readonly reason: EndReason
  /** How many deliveries ended in which way. */
  readonly messages: Counts
  readonly memory: { readonly start: number; readonly peak: number; readonly end: number }
  /** From the request to php-fpm to the end of its answer. */
  readonly execution: Durations
}

/** Gathers what a record says, from the first moment of a process to its last. Its memory does not grow. */
export class ProcessHistory {
  readonly #daemonId: string
  readonly #start = new Date(Date.now() - process.uptime() * 1_000)
  readonly #memoryAtStart = residentMemory()
  readonly #queues: Set<string>
  readonly #counters = new Counters()
  readonly #executions = new Histogram()

  /** @param queues of the bridges that it starts with */
  constructor(daemonId: string, queues: readonly string[]) {
    this.#daemonId = daemonId
    this.#queues = new Set(queues)
  }

  /** Hears what all bridges tell. */
  take(event: BridgeEvent): void {
    this.#counters.count(event)
    if (event.kind === 'answered') this.#executions.add(event.timings.total)
    // A reload may have brought others.
    else if (event.kind === 'consuming') this.#queues.add(event.queue)
  }

  /** How many deliveries have ended in which way. */
  get counts(): Counts {
    return this.#counters.counts
  }

  record(reason: EndReason): ProcessRecord {
    return {
      daemon_id: this.#daemonId,
      pid: process.pid,
      queues: [...this.#queues],
      start: this.#start.toISOString(),
      end: new Date().toISOString(),
      reason,
      messages: { ...this.counts },
      memory: { start: this.#memoryAtStart, peak: peakMemory(), end: residentMemory() },
      execution: this.#executions.durations,
    }
  }
}
