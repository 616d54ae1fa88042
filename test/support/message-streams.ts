import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FastCgiError, type FastCgiResponse } from '../../src/fastcgi/types.ts'
import { StreamClient, type StreamClientOptions } from '../../src/message-stream/stream-client.ts'
import { FIXED_LIMITS, type StreamLimits } from '../../src/message-stream/stream-limits.ts'
import { test as base, testScript } from './fixtures.ts'
import type { Pool } from './pool.ts'
import { clientOptions, nativeClient } from './pool-client.ts'
import type { PoolOptions } from './pool-configuration.ts'

/* Message streams to pools of their own, and what test/support/php/stream.php notes of them. */

export type Form = Readonly<Record<string, string | number>>

export class Streams {
  readonly pool: Pool
  readonly client: StreamClient
  readonly #journal: string

  constructor(
    pool: Pool,
    journal: string,
    limits: Partial<StreamLimits>,
    options: Partial<StreamClientOptions>,
    more: Readonly<Record<string, string>> = {},
  ) {
    this.pool = pool
    this.#journal = journal
    const { address, params, maxResponse, maxStderr } = clientOptions(pool, testScript('stream.php'))
    this.client = new StreamClient({
      address,
      params: { ...params, JOURNAL: journal, ...more },
      concurrency: 4,
      statusPath: '/status',
      limits: {
        ...FIXED_LIMITS,
        messages: 100,
        lifetime: 1_000,
        timeout: 20_000,
        maxResponse,
        maxStderr,
        ...limits,
      },
      ...options,
    })
  }

  send(n: number, form: Form = {}, padding = 0): Promise<FastCgiResponse> {
    const body = new URLSearchParams({ n: String(n), ...strings(form) }).toString() + '&'.repeat(padding)
    return this.client.request({ params: { AMQP_MESSAGE_ID: String(n) }, body: Buffer.from(body) })
  }

  /** Which messages have begun, in that order; each as often as it has. */
  get begun(): number[] {
    return this.#lines.filter((line) => line !== 'hello').map(Number)
  }

  get requests(): number {
    return this.#lines.filter((line) => line === 'hello').length
  }

  get #lines(): string[] {
    return existsSync(this.#journal) ? readFileSync(this.#journal, 'utf8').trim().split('\n') : []
  }
}

const strings = (form: Form) =>
  Object.fromEntries(Object.entries(form).map(([name, value]) => [name, String(value)]))
export const bodyOf = ({ body }: FastCgiResponse) => body.toString()
export const workerOf = (response: FastCgiResponse) => bodyOf(response).replace(/.* by /, '')
export const failureOf = (error: unknown) => {
  if (!(error instanceof FastCgiError)) throw error
  return { code: error.code, phase: error.phase }
}
export const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

/** For tests that read better without the object. */
export const bound = (streams: Streams) => ({
  pool: streams.pool,
  client: streams.client,
  send: (n: number, form?: Form, padding?: number) => streams.send(n, form, padding),
  begun: () => streams.begun,
  requests: () => streams.requests,
})

/** What php-fpm's status page says; its own socket answers, and none of the children. */
async function page(pool: Pool): Promise<Readonly<Record<string, number>>> {
  const address = { kind: 'unix', path: pool.statusSocket } as const
  const { body } = await nativeClient({ socket: pool.statusSocket }, { address, keepAlive: false }).request({
    params: {
      REQUEST_METHOD: 'GET',
      SCRIPT_NAME: '/status',
      SCRIPT_FILENAME: '/status',
      QUERY_STRING: 'json',
    },
    body: new Uint8Array(),
  })
  return JSON.parse(body.toString()) as Record<string, number>
}

export const activeOf = async (pool: Pool) => (await page(pool))['active processes']

interface Given {
  readonly pool?: PoolOptions
  readonly limits?: Partial<StreamLimits>
  readonly options?: Partial<StreamClientOptions>
  /** More of the request's. */
  readonly params?: Readonly<Record<string, string>>
}

export const test = base.extend<{ streams: (given?: Given) => Promise<Streams> }>({
  streams: async ({ ownPool }, use) => {
    const clients: StreamClient[] = []
    await use(async ({ pool: poolOptions = {}, limits = {}, options = {}, params = {} } = {}) => {
      const pool = await ownPool(poolOptions)
      const streams = new Streams(pool, join(pool.directory, 'journal'), limits, options, params)
      clients.push(streams.client)
      return streams
    })
    for (const client of clients) client.close()
  },
})
