import { formatPoolAddress } from '../fastcgi/address.ts'
import type { BridgeConfig } from './bridge-config.ts'

/** A pool, and what all its bridges together ask of it. */
export interface PoolDemand {
  readonly pool: string
  /** One at least. */
  readonly bridges: readonly BridgeConfig[]
  /** Requests in flight at most. */
  readonly concurrency: number
}

/** What is asked of each pool. */
export function demandsOf(bridges: readonly BridgeConfig[]): readonly PoolDemand[] {
  const byPool = new Map<string, BridgeConfig[]>()
  for (const bridge of bridges) {
    const pool = formatPoolAddress(bridge.pool)
    byPool.set(pool, [...(byPool.get(pool) ?? []), bridge])
  }
  return [...byPool].map(([pool, those]) => {
    const concurrency = those.reduce((sum, bridge) => sum + bridge.concurrency, 0)
    return { pool, bridges: those, concurrency }
  })
}
