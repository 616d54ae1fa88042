import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { PoolClient, type PoolClientOptions } from '../../src/fastcgi/client.ts'
import { type FastCgiClient, FastCgiError } from '../../src/fastcgi/types.ts'
import { createLibraryClient } from '../../src/fastcgi-library.ts'
import { type Pool, startPool } from '../support/pool.ts'
import { behave, clientOptions } from '../support/pool-client.ts'
import { CAPABILITIES, type Capability, GOES_ON, POOLS } from './fastcgi-capabilities.ts'

/*
 * What the bridge may expect of a FastCgiClient, whichever it is, of a real php-fpm. What npm's fastcgi-client does
 * otherwise stands beside it in the same table.
 */

type Transport = 'native, connections kept' | 'native, a connection each' | 'fastcgi-client'
const TRANSPORTS: readonly Transport[] = [
  'native, connections kept',
  'native, a connection each',
  'fastcgi-client',
]

const pools = {} as Record<keyof typeof POOLS, Pool>
beforeAll(async () => {
  for (const [name, options] of Object.entries(POOLS))
    pools[name as keyof typeof POOLS] = await startPool(options)
})
afterAll(async () => {
  for (const pool of Object.values(pools)) await pool.close()
})

const clients: FastCgiClient[] = []
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})

function clientOf(transport: Transport, pool: Pool, script?: string): FastCgiClient {
  const options = clientOptions(pool, script)
  const native: Omit<PoolClientOptions, 'keepAlive'> = {
    ...options,
    timeout: 20_000,
    statusPath: '/status',
  }
  const client =
    transport === 'fastcgi-client'
      ? createLibraryClient(options)
      : new PoolClient({ ...native, keepAlive: transport === 'native, connections kept' })
  clients.push(client)
  return client
}

/** What came of a request, as plain data. */
async function outcomeOf(client: FastCgiClient, { action = '', value, request }: Capability) {
  const events: string[] = []
  const onSent = () => void events.push('sent')
  const started = performance.now()
  const outcome = await behave(client, action, value, { ...request, onSent }).then(
    (response) => {
      events.push('answered')
      const text = response.body.toString()
      return {
        ...response,
        body: text,
        bodyLength: text.length,
        stderrLength: response.stderr.length,
        statusLine: response.headers.get('status'),
        values: response.headers.get('x-value'),
        json: text.startsWith('{') ? (JSON.parse(text) as unknown) : undefined,
      }
    },
    (error: unknown) => {
      expect(error).toBeInstanceOf(FastCgiError)
      const { code, phase } = error as FastCgiError
      return { code, phase }
    },
  )
  const sent = events.filter((event) => event === 'sent').length
  return { ...outcome, events, sent, quick: performance.now() - started < GOES_ON }
}

describe.each(TRANSPORTS)('%s: can', (transport) => {
  const asked = CAPABILITIES.filter(
    ({ library }) => transport !== 'fastcgi-client' || typeof library !== 'string',
  )

  it.each(asked)('$can', async (capability) => {
    const { pool = 'sound', script, expected, library } = capability
    const client = clientOf(transport, pools[pool], script)
    const outcome = await outcomeOf(client, capability)
    const difference = transport === 'fastcgi-client' && typeof library === 'object' ? library : expected
    expect(outcome).toMatchObject(difference)
  })

  it('go on after each of them', async () => {
    const client = clientOf(transport, pools.sound)
    for (const action of ['pid', 'die', 'pid', 'fatal', 'pid', 'exit', 'pid']) {
      const { status, code } = {
        ...(await outcomeOf(client, { can: '', action, value: 3, expected: {} })),
      } as {
        status?: number
        code?: string
      }
      expect([action, status ?? code]).toEqual([
        action,
        { die: 'CONNECTION_LOST', fatal: 500 }[action] ?? 200,
      ])
    }
  })
})
