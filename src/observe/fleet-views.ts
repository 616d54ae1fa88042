import type { GaugesByQueue } from './gauges.ts'
import type { Obstruction } from './readiness.ts'
import type { TotalsByQueue } from './totals.ts'
import type { PoolView } from './views.ts'

/*
 * What can be seen of a fleet: what its processes have said last of themselves, plain data that they can send.
 */

/** What a process says unasked, too. */
export interface ProcessReport {
  /** What keeps it from its work, apart from its pools. */
  readonly obstructions: readonly Obstruction[]
  readonly totals: TotalsByQueue
  readonly gauges: GaugesByQueue
}

/** What a process can be asked for: its report alone, with its metrics, or with its status. */
export type Question = 'report' | 'metrics' | 'status'

/** One that has not ended. */
export interface FleetProcess {
  /** Undefined where it could not be started. */
  readonly pid: number | undefined
  /** By `performance.now()`. */
  readonly startedAt: number
  /** Since when it has owed an answer, by `performance.now()`; undefined where it owes none. */
  readonly silentSince: number | undefined
  /** Undefined until it has spoken. */
  readonly report: ProcessReport | undefined
  /** Its own, in Prometheus' text format. Undefined until it has been asked. */
  readonly metrics: string | undefined
  /** As its part of /status. Undefined until it has been asked. */
  readonly status: object | undefined
}

/** One of the N places. */
export interface SlotView {
  /** The daemon id of its processes. */
  readonly id: string
  /** How often one has been started. */
  readonly starts: number
  /** Those that have not ended, the youngest first. */
  readonly processes: readonly FleetProcess[]
  /** When one has ended that had consumed, by `performance.now()`. */
  readonly lostAt: number | undefined
}

export interface FleetView {
  readonly daemonId: string
  readonly version: string
  readonly draining: boolean
  readonly slots: readonly SlotView[]
  /** Of all processes that there have been. */
  readonly totals: TotalsByQueue
  /** Each once, however many processes use it. */
  readonly pools: readonly PoolView[]
  /** Of the processes that have ended, the latest first. */
  readonly records: readonly object[]
  /** Has all processes speak; resolves when they have, or when the time is over. @param within milliseconds */
  ask(question: Question, within: number): Promise<void>
}
