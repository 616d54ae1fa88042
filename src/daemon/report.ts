import { hostname } from 'node:os'
import type {
  BridgeReport,
  BridgeState,
  DaemonReport,
  FailureReport,
  PauseNote,
  PoolReport,
  Quantiles,
} from '../control/protocol.ts'
import type { Failure } from '../observe/failures.ts'
import type { Durations } from '../observe/histogram.ts'
import { noteOf } from '../observe/status.ts'
import type { BridgeView } from '../observe/views.ts'

/** Characters of a text that somebody else has written: an answer has room for many bridges. */
const MAX_TEXT = 500
const MAX_POOLS = 100
const MAX_FAILURES = 10

/** A bridge, and what its view does not know. */
export interface Reported {
  readonly view: BridgeView
  /** Messages a second. */
  readonly rate: number
  /** Seconds. */
  readonly ageOfLast?: number | undefined
}

/** What is only said where somebody asks for details. */
export interface Detail {
  readonly pools: readonly PoolReport[]
  readonly failures: readonly Failure[]
}

/** How a process is. */
export function reportOf(
  daemon: { readonly daemonId: string; readonly version: string },
  bridges: readonly Reported[],
  error: string | undefined,
  detail?: Detail,
): DaemonReport {
  return {
    daemon_id: daemon.daemonId,
    host: hostname(),
    pid: process.pid,
    version: daemon.version,
    uptime_s: Math.round(process.uptime()),
    bridges: bridges.map(bridgeReport),
    ...(detail && {
      pools: detail.pools.slice(0, MAX_POOLS),
      failures: detail.failures.slice(0, MAX_FAILURES).map(failureReport),
    }),
    ...(error !== undefined && { error: error.slice(0, MAX_TEXT) }),
  }
}

function bridgeReport({ view, rate, ageOfLast }: Reported): BridgeReport {
  const { name, queue, sessionUp, inFlight, concurrency, waiting, counts, hold, pauses } = view
  const note = noteOf(pauses)
  const times = view.executionTimes()
  return {
    name,
    queue,
    state: stateOf(view),
    session: sessionUp ? 'up' : 'down',
    in_flight: inFlight,
    concurrency,
    waiting,
    messages: counts,
    rate,
    ...(times && { execution_ms: quantilesOf(times) }),
    ...(ageOfLast !== undefined && { age_s: Math.round(ageOfLast * 1_000) / 1_000 }),
    ...(hold && {
      hold: {
        reason: hold.reason.slice(0, MAX_TEXT),
        held_ms: Math.round(performance.now() - hold.since),
      },
    }),
    ...(note && { pause: shortened(note) }),
  }
}

function quantilesOf({ count, p50, p95, p99, max }: Durations): Quantiles {
  return { count, p50, p95, p99, max }
}

function failureReport({ time, queue, outcome, reason, execution: { messageId } }: Failure): FailureReport {
  return { time, queue, outcome, reason, ...(messageId !== undefined && { message_id: messageId }) }
}

/** What ends, or is told to, says so before anything else: who waits for a drain waits for that. */
function stateOf({ state, pauses, inFlight, waiting, hold }: BridgeView): BridgeState {
  if (state === 'draining') return 'draining'
  if (pauses.some(({ kind }) => kind === 'drain')) return inFlight + waiting > 0 ? 'draining' : 'drained'
  if (pauses.length > 0) return 'paused'
  if (hold !== undefined) return 'held'
  return state
}

function shortened(note: PauseNote): PauseNote {
  return Object.fromEntries(
    Object.entries(note).flatMap(([key, value]) =>
      typeof value === 'string' ? [[key, value.slice(0, MAX_TEXT)]] : [],
    ),
  )
}
