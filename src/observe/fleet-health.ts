import type { FleetProcess, FleetView, SlotView } from './fleet-views.ts'
import { type Obstruction, unreachablePools } from './readiness.ts'

/** Milliseconds after which a process that owes an answer is stuck. */
export const STUCK = 2_000
/** Milliseconds that a timer may be too early. */
const SLACK = 50
/** Milliseconds that a process has, from its start, to say its first word. */
const FIRST_WORD = 30_000
/** Milliseconds that a slot has to replace a process that consumed. */
const REPLACEMENT = 10_000

/** What is wrong in a fleet, and with which of its processes. */
export type FleetObstruction =
  | { readonly process: string; readonly reason: string }
  | (Obstruction & { readonly process?: string })

/**
 * Processes whose event loop does not turn, and slots that have lost theirs and have no other one yet.
 *
 * @param view which has just been asked
 */
export function notAlive(view: FleetView): readonly FleetObstruction[] {
  const now = performance.now()
  return view.slots.flatMap(({ id, starts, processes }): FleetObstruction[] => {
    if (processes.some((each) => isStuck(each, now))) return [{ process: id, reason: 'no answer' }]
    const isMissing = processes.length === 0 && starts > 0 && !view.draining
    return isMissing ? [{ process: id, reason: 'has ended; another one starts after a pause' }] : []
  })
}

/** Since when it has been silent; one that is starting has not said anything yet. */
function isStuck({ report, startedAt, silentSince }: FleetProcess, now: number): boolean {
  if (report === undefined) return now - startedAt >= FIRST_WORD
  return silentSince !== undefined && now - silentSince >= STUCK - SLACK
}

/**
 * Each slot has to have a process that does its work. A slot whose process is being replaced has a while for it, as long as others
 * work; and the pools are to be there.
 *
 * @param view which has just been asked
 * @returns what is in the way; empty when the fleet is ready
 */
export async function fleetObstructionsOf(view: FleetView): Promise<readonly FleetObstruction[]> {
  if (view.draining) return [{ reason: 'draining' }]
  const now = performance.now()
  const idle = view.slots.filter(({ processes }) => !processes.some(isReady))
  const someWork = idle.length < view.slots.length
  const missing = someWork ? idle.filter((slot) => !isBeingReplaced(slot, now)) : idle
  return [...missing.flatMap(obstructionsOfSlot), ...(await unreachablePools(view.pools))]
}

function isReady({ report, silentSince }: FleetProcess): boolean {
  return report !== undefined && report.obstructions.length === 0 && silentSince === undefined
}

function isBeingReplaced({ lostAt, processes }: SlotView, now: number): boolean {
  // One that does not answer is none that starts.
  const starts = processes.every(({ silentSince }) => silentSince === undefined)
  return starts && lostAt !== undefined && now - lostAt < REPLACEMENT
}

/** Of the youngest: that is the one which should work. */
function obstructionsOfSlot({ id, starts, processes }: SlotView): readonly FleetObstruction[] {
  const [youngest] = processes
  if (youngest === undefined) return [{ process: id, reason: starts === 0 ? 'not started' : 'has ended' }]
  if (youngest.silentSince !== undefined) return [{ process: id, reason: 'no answer' }]
  if (youngest.report === undefined) return [{ process: id, reason: 'starting' }]
  return youngest.report.obstructions.map((each) => ({ process: id, ...each }))
}
