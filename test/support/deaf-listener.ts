import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PoolAddress } from '../../src/fastcgi/address.ts'

/** Listens, and then is stopped: what the backlog holds is connected, and nobody accepts it. Once awake it hangs up on all. */
const LISTEN = `
  const { createServer } = require('node:net')
  const where = process.argv[1] === 'tcp' ? { host: '127.0.0.1', port: 0 } : { path: process.argv[1] }
  const server = createServer((socket) => socket.destroy()).listen({ ...where, backlog: 1 }, () => {
    require('node:fs').writeSync(1, String(server.address().port ?? 0))
    process.kill(process.pid, 'SIGSTOP')
  })
`

export interface DeafListener {
  readonly address: PoolAddress
  /** From now on it accepts, and hangs up at once. */
  wake(): void
  close(): void
}

/** A listener whose backlog is full: a connect over a Unix socket fails with EAGAIN, one over TCP waits. */
export async function deafListener(kind: PoolAddress['kind']): Promise<DeafListener> {
  const folder = mkdtempSync(join(tmpdir(), 'fpm-bridge-deaf-'))
  const path = join(folder, 'fpm.sock')
  const child = spawn(process.execPath, ['-e', LISTEN, kind === 'unix' ? path : 'tcp'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [port] = (await once(child.stdout, 'data')) as [Buffer]
  const address: PoolAddress =
    kind === 'unix' ? { kind, path } : { kind, host: '127.0.0.1', port: Number(port.toString()) }
  const sockets: Socket[] = []
  for (let full = false; !full; ) {
    const socket = connect(kind === 'unix' ? { path } : { host: '127.0.0.1', port: Number(port.toString()) })
    sockets.push(socket)
    full = await new Promise<boolean>((resolve) => {
      // On a busy machine a connect may have succeeded in that time without our having heard of it: first we listen once more.
      const timer = setTimeout(() => setImmediate(resolve, true), 200)
      socket.once('connect', () => resolve(false)).once('error', () => resolve(true))
      socket.once('close', () => clearTimeout(timer))
    })
  }
  return {
    address,
    wake: () => void child.kill('SIGCONT'),
    close() {
      for (const socket of sockets) socket.destroy()
      child.kill('SIGKILL')
      rmSync(folder, { recursive: true })
    },
  }
}
