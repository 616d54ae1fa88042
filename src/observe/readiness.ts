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
  const own = ownObstructionsOf(view)
  return view.draining ? own : [...own, ...(await unreachablePools(view.pools))]
}

/** The same without the pools, which processes may share. */
export function ownObstructionsOf({
  draining,
  bridges,
}: Pick<ProcessView, 'draining' | 'bridges'>): readonly Obstruction[] {
  return draining ? [{ reason: 'draining' }] : idleBridges(bridges)
}

export async function unreachablePools(pools: readonly PoolView[]): Promise<readonly Obstruction[]> {
  return (await Promise.all(pools.map(unreachable))).flat()
}

/** A bridge that takes the place of another may start while the former goes on, which is enough. */
function idleBridges(bridges: readonly BridgeView[]): readonly Obstruction[] {
  const wanted = bridges.filter(({ state }) => state !== 'draining')
  const busy = new Set(wanted.filter(consumes).map(({ queue }) => queue))
  return wanted
    .filter(({ queue }) => !busy.has(queue))
    .map(({ name }) => ({ bridge: name, reason: 'not consuming' }))
}

function consumes({ state, sessionUp, resting }: BridgeView): boolean {
  return resting || (state === 'running' && sessionUp)
}

async function unreachable(view: PoolView): Promise<readonly Obstruction[]> {
  const reason = await view.obstacle()
  return reason === undefined ? [] : [{ pool: view.pool, reason }]
}
