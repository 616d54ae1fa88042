import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { createServer } from 'node:tls'
import type { Certificate } from './certificates.ts'
import { freePorts } from './ports.ts'

export interface TlsProxy {
  readonly port: number
  close(): void
}

/** Ends TLS on a free port of 127.0.0.1, and passes on what comes to `target`, another port of it. */
export async function startTlsProxy({ cert, key }: Certificate, target: number): Promise<TlsProxy> {
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (socket) => {
    const behind = connect(target, '127.0.0.1')
    for (const each of [socket, behind]) each.on('error', () => {})
    socket.pipe(behind).pipe(socket)
  })
  server.on('tlsClientError', () => {})
  const [port = 0] = await freePorts(1)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return { port, close: () => void server.close() }
}
