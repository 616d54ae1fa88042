import type { ExecutionIds, PauseCause } from '../bridge/facts.ts'
import type { Counts } from './counters.ts'
import type { Durations } from './histogram.ts'

/*
 * What can be seen of a process at any moment. The daemon shows it; metrics and status read it when somebody asks.
 */

/** A bridge, which may be on its way out beside the one that takes its place. */
export interface BridgeView {
  readonly name: string
  readonly queue: string
  /** Where its pool listens. */
  readonly pool: string
  readonly state: 'starting' | 'running' | 'draining'
  /** Whether it has a session with a broker. */
  readonly sessionUp: boolean
  /** Whether it takes no messages on purpose: it is paused, or has given back what would wait too long during a hold. */
  readonly resting: boolean
  /** Why operators have paused it; empty: they have not. */
  readonly pauses: readonly PauseCause[]
  readonly hold: HoldView | undefined
  /** Executing, or not settled yet. */
  readonly inFlight: number
  /** Delivered, and waiting for their turn. */
  readonly waiting: number
  /** Requests in flight at most. */
  readonly concurrency: number
  readonly counts: Counts
  /** How long executions took in the last minute, or a part of it; found out when somebody asks. */
  executionTimes(): Durations | undefined
  /** What is being executed, in no order. */
  readonly executions: readonly RunningExecution[]
}

export interface HoldView {
  readonly reason: string
  /** By `performance.now()`. */
  readonly since: number
}

export interface RunningExecution extends ExecutionIds {
  /** By `performance.now()`. */
  readonly startedAt: number
}

/** A pool that bridges have, perhaps several of them. */
export interface PoolView {
  /** Where it listens. */
  readonly pool: string
  /** As php-fpm_exporter would be told of its status page. */
  readonly scrapeUri: string
  /** Connects without sending a byte. @returns what is in the way, if anything is; up to a second old */
  obstacle(): Promise<string | undefined>
  /** Asks for its status page. Up to a second old. */
  read(): Promise<PoolReading>
}

export type PoolReading =
  /** The pool has no status page. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'up'; readonly status: PoolPage; readonly failures: number }
  /** `name`: of the pool, if it has ever answered. */
  | {
      readonly kind: 'down'
      readonly reason: string
      readonly name: string | undefined
      readonly failures: number
    }

/** php-fpm's status page, `full`. */
export interface PoolPage {
  readonly pool: string
  readonly kind: string
  readonly startSince: number
  readonly acceptedConnections: number
  readonly listenQueue: number
  readonly maxListenQueue: number
  readonly listenQueueLength: number
  readonly idleProcesses: number
  readonly activeProcesses: number
  readonly totalProcesses: number
  readonly maxActiveProcesses: number
  readonly maxChildrenReached: number
  readonly slowRequests: number
  readonly processes: readonly PoolProcess[]
}

export interface PoolProcess {
  readonly state: string
  readonly requests: number
  /** Microseconds. */
  readonly requestDuration: number
  readonly lastRequestCpu: number
  /** Bytes. */
  readonly lastRequestMemory: number
}

/** The whole process. */
export interface ProcessView {
  readonly daemonId: string
  readonly version: string
  readonly draining: boolean
  readonly bridges: readonly BridgeView[]
  readonly pools: readonly PoolView[]
  /** What `fpm-bridge config --json` prints: without secrets. */
  readonly config: unknown
}
