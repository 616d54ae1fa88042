import type { Tell } from '../bridge/events.ts'
import type { BridgeConfig } from '../config/bridge-config.ts'
import type { PoolDemand } from '../config/pool-demands.ts'
import { pingPool, readPoolStatus } from '../fastcgi/pool-status.ts'

/** Milliseconds that the pool's pages get: a child serves them, and all may be busy. */
const PAGE_TIMEOUT = 1_000

/** Tells the operator what stands behind the socket, if it says so itself, and what is asked of it. Never rejects. */
export async function describePool({ pool, bridges, concurrency }: PoolDemand, tell: Tell): Promise<void> {
  if (bridges.length > 1) {
    const names = bridges.map(({ name }) => name)
    tell({ kind: 'pool-shared', pool, bridges: names, concurrency })
  }
  // The pages are the same for all of them.
  const [{ pool: address, statusPath, pingPath }] = bridges as [BridgeConfig]
  try {
    const status = await readPoolStatus(address, statusPath, PAGE_TIMEOUT)
    const ping = await pingPool(address, pingPath, PAGE_TIMEOUT)
    if (status === undefined) {
      tell({ kind: 'pool-kind-unknown', pool, statusPath, ping })
    } else {
      const { kind: poolKind, totalProcesses: children } = status
      tell({ kind: 'pool-described', pool, poolKind, children, ping })
      // Only a static pool has all its children by now.
      if (poolKind === 'static' && concurrency > children) {
        tell({ kind: 'children-too-few', pool, children, concurrency })
      }
    }
  } catch (error) {
    tell({ kind: 'pool-silent', pool, reason: String(error) })
  }
}
