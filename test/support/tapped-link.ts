import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { type Unit, UnitReader } from './amqp-units.ts'

/** A unit on its way over the link. */
export interface Passing {
  readonly unit: Unit
  readonly from: 'client' | 'broker'
  /** Which of the connections that there have been, from 1. */
  readonly connection: number
}

/** Sees each unit before it passes on; what follows on its way waits until the promise is resolved. */
export type Tap = (passing: Passing) => Promise<void> | undefined

/** A link to a broker that knows what it carries, and lets each thing pass only when it may. */
export interface TappedLink {
  readonly port: number
  /** RST on every connection, in both directions; new ones are served. */
  reset(): void
  /** Ends every connection. Idempotent. */
  close(): void
}

/** Listens on a port of 127.0.0.1 and passes everything on to a broker on `target`, another port of it. */
export async function startTappedLink(port: number, target: number, tap: Tap): Promise<TappedLink> {
  const sockets = new Set<Socket>()
  let connections = 0

  function serve(client: Socket): void {
    const broker = connect({ port: target, host: '127.0.0.1', noDelay: true })
    client.setNoDelay(true)
    connections += 1
    const connection = connections
    for (const socket of [client, broker]) {
      sockets.add(socket)
      socket
        .on('error', () => {})
        .on('close', () => {
          sockets.delete(socket)
          client.destroy()
          broker.destroy()
        })
    }
    void carry(client, broker, (unit) => tap({ unit, from: 'client', connection }))
    void carry(broker, client, (unit) => tap({ unit, from: 'broker', connection }))
  }

  const listener = createServer(serve).listen(port, '127.0.0.1')
  await once(listener, 'listening')
  return {
    port,
    reset() {
      for (const socket of sockets) socket.resetAndDestroy()
    },
    close() {
      listener.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

async function carry(
  from: Socket,
  to: Socket,
  see: (unit: Unit) => Promise<void> | undefined,
): Promise<void> {
  const reader = new UnitReader()
  try {
    for await (const chunk of from) {
      for (const unit of reader.take(chunk as Buffer)) {
        await see(unit)
        if (!to.destroyed) to.write(unit.bytes)
      }
    }
  } catch {
    // Reset: the other end learns of it when this one closes.
  }
}
