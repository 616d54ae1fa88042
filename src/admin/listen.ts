import { once } from 'node:events'
import { lstat, unlink } from 'node:fs/promises'
import type { Server } from 'node:http'
import { connect } from 'node:net'

/** Where the server listens. */
export type AdminAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }

/**
 * Listens there. The socket of a process that was killed is still there, and is taken over.
 *
 * @throws {Error} with the system's code: EADDRINUSE when somebody listens there, EACCES, ENOENT, ...
 */
export async function listen(server: Server, address: AdminAddress): Promise<void> {
  if (address.kind === 'unix' && (await isLeftOver(address.path))) await unlink(address.path)
  const options =
    address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port }
  server.listen(options)
  // Rejects with what comes as 'error'.
  await once(server, 'listening')
}

async function isLeftOver(path: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined)
  if (stats?.isSocket() !== true) return false
  const socket = connect({ path })
  try {
    await once(socket, 'connect')
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED'
  } finally {
    socket.destroy()
  }
}
