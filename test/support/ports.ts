import { once } from 'node:events'
import { connect, createServer } from 'node:net'

/*
 * Below the range (32768 to 60999 on Linux) from which the kernel takes the source ports of outgoing connections. A
 * client that keeps trying to reach a stopped server on a port of that range can be given that very port as its own,
 * and is then connected to itself; and any client's connection can take the port before the server starts again.
 */
const FIRST = 20_000
const LAST = 32_767

/** Finds TCP ports that nobody listens on at 127.0.0.1. They are not reserved: use them soon. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1))
    if (!ports.has(port) && (await isFree(port))) ports.add(port)
  }
  return [...ports]
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}

/** Resolves when something accepts connections there; rejects at once when nothing does. */
export async function reach(to: { port: number } | { path: string }): Promise<void> {
  const socket = connect('port' in to ? { ...to, host: '127.0.0.1' } : to)
  try {
    await once(socket, 'connect')
  } finally {
    socket.destroy()
  }
}
