import { readPoolStatus } from '../../src/fastcgi/pool-status.ts'

/** Milliseconds that the status page gets. */
const TIMEOUT = 1_000

/**
 * Asks a pool's status page how many of its children execute a request at this moment.
 *
 * @param statusSocket the path of pm.status_listen, which is answered while all children are busy
 */
export async function busyChildren(statusSocket: string): Promise<number> {
  const status = await readPoolStatus({ kind: 'unix', path: statusSocket }, '/status', TIMEOUT)
  if (status === undefined) throw new Error(`No status page on ${statusSocket}`)
  return status.activeProcesses
}
