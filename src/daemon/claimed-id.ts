import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import type { Log } from '../observe/logger.ts'

/**
 * Says where another supervisor of this host has the same id: their processes could not be told apart, in the log, in the broker's
 * pages or by workers. Nothing else is wrong: both do their work.
 *
 * A name without a file (Linux: unix(7), abstract) is taken as long as a process lives, and not a moment longer. It is of a host, or of
 * a container: nobody knows of the others.
 */
export function claimId(daemonId: string, log: Log): void {
  const server = createServer((connection) => connection.destroy())
  server.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') return // another system
    log.warn('Another fleet on this host has the same --daemon-id: nobody can tell their processes apart.')
  })
  // An id may be longer than such a name.
  server.listen(`\0fpm-bridge/${createHash('sha256').update(daemonId).digest('hex')}`)
  server.unref()
}
