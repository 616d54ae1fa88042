import type { FastCgiBody, FastCgiResponse } from '../../src/fastcgi/types.ts'
import { test as base } from './fixtures.ts'
import { type HandlerOptions, type HandlerScript, handlerScript } from './handler-script.ts'
import { nativeClient } from './pool-client.ts'
import type { PoolOptions } from './pool-configuration.ts'

/* Single requests to scripts of worker-php, as the daemon makes them or not. */

export interface WorkerRequest {
  /** Over those of an ordinary message; undefined leaves one out. */
  readonly params?: Readonly<Record<string, string | undefined>>
  /** Default `{"do":"it"}`. */
  readonly body?: string | FastCgiBody
}

type Answer = FastCgiResponse & Pick<HandlerScript, 'executions'>

/** Writes a script with this handler, and sends it one request. */
export type Ask = (php: string, request?: WorkerRequest, options?: HandlerOptions) => Promise<Answer>

/** Of an ordinary message. */
export const PARAMS = {
  CONTENT_TYPE: 'application/json',
  AMQP_DAEMON_ID: 'D-1f3a9c02',
  AMQP_QUEUE: 'commands',
  AMQP_EXECUTION_ID: 'e6b1a1f2-0000-4000-8000-000000000001',
  AMQP_ATTEMPT: '1',
  AMQP_MAX_ATTEMPTS: '5',
}

interface Fixtures {
  /** Starts a pool for it. */
  askOf: (options?: PoolOptions) => Promise<Ask>
  ask: Ask
}

export const test = base.extend<Fixtures>({
  askOf: async ({ ownPool }, use) => {
    await use(async (poolOptions) => {
      const pool = await ownPool(poolOptions)
      return async (php, { params = {}, body = '{"do":"it"}' } = {}, options = {}) => {
        const { script, executions } = handlerScript(pool.directory, php, options)
        const client = nativeClient(pool, { keepAlive: false })
        try {
          const all = Object.entries({ ...PARAMS, SCRIPT_FILENAME: script, ...params })
          const set = all.filter((pair): pair is [string, string] => pair[1] !== undefined)
          const bytes = typeof body === 'string' ? Buffer.from(body) : body
          const response = await client.request({ params: Object.fromEntries(set), body: bytes })
          return { ...response, executions }
        } finally {
          await client.close()
        }
      }
    })
  },

  ask: async ({ askOf }, use) => {
    await use(await askOf())
  },
})

export const markerOf = ({ headers }: Pick<FastCgiResponse, 'headers'>) => headers.get('x-bridge-outcome')
