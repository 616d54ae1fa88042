import { test as base } from './fixtures.ts'
import { type HandlerOptions, type HandlerScript, handlerScript } from './handler-script.ts'
import type { Pool } from './pool.ts'
import type { PoolOptions } from './pool-configuration.ts'
import { StreamClient, type StreamOptions } from './stream-client.ts'

/* Requests that carry many messages to scripts of worker-php, each on a pool of its own. */

export interface OpenOptions extends HandlerOptions, Partial<StreamOptions> {
  readonly pool?: PoolOptions
}

/** A request whose worker has said hello. */
export interface OpenStream extends Pick<HandlerScript, 'executions'> {
  readonly client: StreamClient
  readonly pool: Pool
}

interface Fixtures {
  /** Writes a script with this handler, starts a pool of one child, opens a request; and closes it at the end. */
  connectStream: (php: string, options?: OpenOptions) => Promise<OpenStream>
  /** The same, and awaits the hello. */
  openStream: (php: string, options?: OpenOptions) => Promise<OpenStream>
}

export const test = base.extend<Fixtures>({
  connectStream: async ({ ownPool }, use) => {
    const clients: StreamClient[] = []
    await use(async (php, options = {}) => {
      const pool = await ownPool({ children: 1, ...options.pool })
      const { script, executions } = handlerScript(pool.directory, php, options)
      const client = new StreamClient({ socket: pool.socket, script, ...options })
      clients.push(client)
      return { client, pool, executions }
    })
    for (const client of clients) client.close()
  },

  openStream: async ({ connectStream }, use) => {
    await use(async (php, options) => {
      const stream = await connectStream(php, options)
      await stream.client.expect('hello', 0)
      return stream
    })
  },
})
