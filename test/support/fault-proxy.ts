import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP link on loopback that can be broken as real links break. */
export interface FaultProxy {
  readonly port: number
  /** RST on every connection, in both directions; new ones are served. */
  reset(): void
  /**
   * Nothing passes any more on the connections there are, and neither end is told: what a firewall that forgot them
   * does. New ones are served.
   */
  freeze(): void
  /** New connections are accepted, and nothing passes on them. */
  silence(): void
  /** New connections are refused: nobody listens. */
  refuse(): Promise<void>
  /** Both: what a server that is killed looks like. */
  lose(): Promise<void>
  /** All is well again. What was frozen goes on where it stopped, if its ends are still there. */
  heal(): Promise<void>
  /** Ends every connection. Idempotent. */
  close(): Promise<void>
}

interface Link {
  readonly client: Socket
  readonly server: Socket
  frozen: boolean
}

/** Listens on a port of 127.0.0.1 and passes everything on to `target`, another port of it. */
export async function startFaultProxy(port: number, target: number): Promise<FaultProxy> {
  const links = new Set<Link>()
  let silent = false
  let listener: Server | undefined

  function serve(client: Socket): void {
    const server = connect({ port: target, host: '127.0.0.1', noDelay: true })
    const link: Link = { client, server, frozen: true }
    links.add(link)
    const end = (): void => {
      links.delete(link)
      client.destroy()
      server.destroy()
    }
    for (const socket of [client, server]) socket.on('error', () => {}).on('close', end)
    client.setNoDelay(true)
    if (!silent) thaw(link)
  }

  async function listen(): Promise<void> {
    if (listener !== undefined) return
    listener = createServer(serve).listen(port, '127.0.0.1')
    await once(listener, 'listening')
  }

  function reset(): void {
    for (const { client, server } of links) {
      client.resetAndDestroy()
      server.resetAndDestroy()
    }
  }

  async function refuse(): Promise<void> {
    listener?.close()
    listener = undefined
  }

  await listen()
  return {
    port,
    reset,
    refuse,
    async lose() {
      await refuse()
      reset()
    },
    freeze() {
      for (const link of links) freeze(link)
    },
    silence() {
      silent = true
    },
    async heal() {
      silent = false
      for (const link of links) thaw(link)
      await listen()
    },
    async close() {
      await refuse()
      for (const { client, server } of links) {
        client.destroy()
        server.destroy()
      }
    },
  }
}

/** What arrives stays in the kernel's buffers, an end of the connection too. */
function freeze(link: Link): void {
  const { client, server } = link
  client.unpipe(server).pause()
  server.unpipe(client).pause()
  link.frozen = true
}

function thaw(link: Link): void {
  if (!link.frozen) return
  const { client, server } = link
  client.pipe(server)
  server.pipe(client)
  link.frozen = false
}
