import { hostname } from 'node:os'
import type { BridgeReport, BridgeState, DaemonReport, PauseNote } from '../control/protocol.ts'
import { noteOf } from '../observe/status.ts'
import type { BridgeView } from '../observe/views.ts'

/** Characters of a text that somebody else has written: an answer has room for many bridges. */
const MAX_TEXT = 500

/** A bridge, and what its view does not know. */
export interface Reported {
  readonly view: BridgeView
  /** Messages a second. */
  readonly rate: number
}

/** How a process is. */
export function reportOf(
  daemon: { readonly daemonId: string; readonly version: string },
  bridges: readonly Reported[],
  error: string | undefined,
): DaemonReport {
  return {
    daemon_id: daemon.daemonId,
    host: hostname(),
    pid: process.pid,
    version: daemon.version,
    uptime_s: Math.round(process.uptime()),
    bridges: bridges.map(bridgeReport),
    ...(error !== undefined && { error: error.slice(0, MAX_TEXT) }),
  }
}

function bridgeReport({ view, rate }: Reported): BridgeReport {
  const { name, queue, sessionUp, inFlight, concurrency, waiting, counts, hold, pauses } = view
  const note = noteOf(pauses)
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
    ...(hold && {
      hold: {
        reason: hold.reason.slice(0, MAX_TEXT),
        held_ms: Math.round(performance.now() - hold.since),
      },
    }),
    ...(note && { pause: shortened(note) }),
  }
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
