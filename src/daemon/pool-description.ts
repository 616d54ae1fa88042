import type { Log } from '../bridge/ports.ts'
import type { BridgeConfig } from '../config/bridge-config.ts'
import { type PoolStatus, pingPool, readPoolStatus } from '../fastcgi/pool-status.ts'

/** Milliseconds that the pool's pages get: a child serves them, and all may be busy. */
const PAGE_TIMEOUT = 1_000

/** Tells the operator what stands behind the socket, if it says so itself. Never rejects. */
export async function describePool(
  { pool, statusPath, pingPath, concurrency }: BridgeConfig,
  log: Log,
): Promise<void> {
  try {
    const status = await readPoolStatus(pool, statusPath, PAGE_TIMEOUT)
    const ping = await pingPool(pool, pingPath, PAGE_TIMEOUT)
    if (status === undefined) {
      const message = 'The pool shows no status page (pm.status_path): of what kind it is, is not known.'
      log.info(message, { statusPath, ping })
    } else {
      log.info('The pool.', { kind: status.kind, children: status.totalProcesses, ping })
      warnOfTooFewChildren(status, concurrency, log)
    }
  } catch (error) {
    log.debug('The pool does not describe itself.', { reason: String(error) })
  }
}

/** Only a static pool has all its children by now. */
function warnOfTooFewChildren({ kind, totalProcesses }: PoolStatus, concurrency: number, log: Log): void {
  if (kind !== 'static' || concurrency <= totalProcesses) return
  log.warn(
    'The pool has fewer children than --concurrency: the other requests wait in its backlog, and their --timeout runs.',
    { children: totalProcesses, concurrency },
  )
}
