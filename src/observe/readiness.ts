import type { BridgeView, PoolView, ProcessView } from './views.ts'

/** What keeps a process from its work: the whole of it, a bridge, or a pool. */
export type Obstruction =
  | { readonly reason: 'draining' }
  | { readonly bridge: string; readonly reason: 'not consuming' }
  | { readonly pool: string; readonly reason: string }

/**
 * Whether each bridge consumes, or is paused, and its pool can be connected to.
 *
 * @returns what is in the way; empty when it is ready
 */
export async function obstructionsOf(view: ProcessView): Promise<readonly Obstruction[]> {
  if (view.draining) return [{ reason: 'draining' }]
  const unreachable = await Promise.all(view.pools.map(unreachablePools))
  return [...idleBridges(view.bridges), ...unreachable.flat()]
}

/** A bridge that takes the place of another may start while the former goes on, which is enough. */
function idleBridges(bridges: readonly BridgeView[]): readonly Obstruction[] {
  const wanted = bridges.filter(({ state }) => state !== 'draining')
  const busy = new Set(wanted.filter(consumes).map(({ queue }) => queue))
  return wanted
    .filter(({ queue }) => !busy.has(queue))
    .map(({ name }) => ({ bridge: name, reason: 'not consuming' }))
}

function consumes({ state, sessionUp, paused }: BridgeView): boolean {
  return paused || (state === 'running' && sessionUp)
}

async function unreachablePools(view: PoolView): Promise<readonly Obstruction[]> {
  const reason = await view.obstacle()
  return reason === undefined ? [] : [{ pool: view.pool, reason }]
}
