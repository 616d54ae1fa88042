import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type NativeClientOptions, PoolClient } from '../../src/fastcgi/client.ts'
import { type FastCgiClient, FastCgiError, type FastCgiRequest } from '../../src/fastcgi/types.ts'
import { createLibraryClient } from '../../src/fastcgi-library.ts'
import { type Pool, startPool } from '../support/pool.ts'
import { behave, clientOptions } from '../support/pool-client.ts'

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

/** A pool as production should have it, one as it comes without a php.ini, and one that cuts scripts off. */
const POOLS = {
  sound: { children: 2, ini: { log_errors: 'on' } },
  careless: { children: 1, ini: { display_errors: 'on' } },
  strict: { children: 1, settings: { request_terminate_timeout: '1s' } },
}

interface Capability {
  readonly can: string
  readonly pool?: keyof typeof POOLS
  readonly script?: string
  readonly action?: string
  readonly value?: string | number
  readonly request?: Partial<FastCgiRequest>
  /** Of what came of it: see outcomeOf. */
  readonly expected: Readonly<Record<string, unknown>>
  /** What the library makes of it instead; or why it is not even asked. */
  readonly library?: Readonly<Record<string, unknown>> | string
}

const MEBIBYTE = 1024 * 1024
const ENDS_THE_PROCESS =
  'an answer of several reads may split a record header, which throws out of its data handler'

const lost = { code: 'CONNECTION_LOST', phase: 'receive' }
const body = (length: number) => Buffer.alloc(length, 'abcdefg')
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const form = (length: number): Partial<FastCgiRequest> => ({
  params: { CONTENT_TYPE: 'application/x-www-form-urlencoded' },
  body: Buffer.from(`a=${'x'.repeat(length - 2)}`),
})
const raw = (length: number): Partial<FastCgiRequest> => ({
  params: { CONTENT_TYPE: 'application/octet-stream' },
  body: body(length),
})
const large = (count: number, length: number): Partial<FastCgiRequest> => ({
  params: Object.fromEntries(Array.from({ length: count }, (_, n) => [`LARGE_${n}`, 'x'.repeat(length)])),
})

const CAPABILITIES: readonly Capability[] = [
  ...[200, 201, 404, 409, 500, 503].map((status) => ({
    can: `read the status ${status}`,
    action: 'status',
    value: status,
    expected: { status, body: 'the body', stderr: '' },
  })),
  { can: 'do without a Status line', action: 'pid', expected: { status: 200, statusLine: undefined } },
  { can: 'keep several values of a header', action: 'headers', expected: { values: ['one', 'two'] } },
  {
    can: 'read stderr',
    action: 'stderr',
    value: 'ouch',
    expected: { status: 200, stderr: 'PHP message: ouch' },
  },
  {
    can: 'read 4 KiB of stderr and drop the rest',
    action: 'stderr',
    value: 'x'.repeat(10_000),
    expected: { stderrLength: 4_096, stderrTruncated: true },
  },
  {
    can: 'tell a script that is not there',
    script: '/nowhere/worker.php',
    expected: { status: 404, body: 'File not found.\n', stderr: 'Primary script unknown' },
  },
  {
    can: 'tell a script that php-fpm may not run',
    script: fileURLToPath(import.meta.url),
    expected: {
      status: 403,
      body: 'Access denied.\n',
      stderr: expect.stringMatching(/^Access to the script '.*\.test\.ts' has been denied/),
    },
  },
  ...[0, 65_535, 65_536, MEBIBYTE, 9 * MEBIBYTE].map((length) => ({
    can: `send ${length} bytes as they are`,
    action: 'tell',
    request: raw(length),
    expected: { json: { length, sha256: sha256(body(length)), fields: 0 } },
  })),
  ...[2, 65_535, 65_536, MEBIBYTE].map((length) => ({
    can: `send a form of ${length} bytes`,
    action: 'tell',
    request: form(length),
    expected: { json: { length, fields: 1, a: length - 2 } },
  })),
  {
    can: 'send a form beyond post_max_size, of which PHP keeps the bytes alone',
    action: 'tell',
    request: form(9 * MEBIBYTE),
    expected: {
      json: { length: 9 * MEBIBYTE, fields: 0 },
      stderr: expect.stringContaining('exceeds the limit'),
    },
  },
  {
    can: 'send a param of 65,000 bytes',
    action: 'tell',
    request: large(1, 65_000),
    expected: { json: { large: 65_000 } },
  },
  {
    can: 'send 170 KB of params, in several records',
    action: 'tell',
    request: large(10, 17_000),
    expected: { json: { large: 170_000 } },
    library: 'it writes all params as one record, and fails on its length outside of any promise',
  },
  {
    can: 'refuse a param that fits into no record, before anything is sent',
    action: 'tell',
    request: large(1, 65_535),
    expected: { code: 'INVALID_REQUEST', phase: 'connect' },
    library: 'it writes all params as one record, and fails on its length outside of any promise',
  },
  {
    can: 'read an answer of exactly the limit',
    action: 'write',
    value:
      MEBIBYTE -
      'Content-type: text/html; charset=UTF-8\r\n\r\n'.length -
      'X-Powered-By: PHP/8.2.36\r\n'.length,
    expected: { status: 200, bodyTruncated: false },
    library: ENDS_THE_PROCESS,
  },
  {
    can: 'read 20 MiB of an answer to their end, and keep one',
    action: 'write',
    value: 20 * MEBIBYTE,
    expected: { status: 200, bodyTruncated: true, bodyLength: expect.closeTo(MEBIBYTE, -3) },
    library: ENDS_THE_PROCESS,
  },
  {
    can: 'tell a fatal error',
    action: 'fatal',
    expected: { status: 500, body: '', stderr: expect.stringContaining('PHP Fatal error:  Uncaught Error') },
  },
  {
    can: 'tell a fatal error after output by its stderr alone',
    action: 'fatal after output',
    expected: {
      status: 200,
      body: 'begun',
      stderr: expect.stringContaining('PHP Fatal error:  Uncaught Error'),
    },
  },
  {
    can: 'not tell a fatal error from success where display_errors is on',
    pool: 'careless',
    action: 'fatal',
    expected: { status: 200, body: expect.stringContaining('Fatal error') },
  },
  {
    can: 'not tell exit(3) from success',
    action: 'exit',
    value: 3,
    expected: { status: 200, body: 'done', appStatus: 0 },
  },
  { can: 'tell a child that was killed before its answer', action: 'die', expected: { ...lost, sent: 1 } },
  {
    can: 'tell a child that was killed in its answer',
    action: 'die',
    value: 'partial',
    expected: { ...lost, sent: 1 },
  },
  { can: 'tell a script that was cut off', pool: 'strict', action: 'sleep', value: 8_000, expected: lost },
  {
    can: 'end with the answer of a worker that goes on after it',
    action: 'finish early',
    value: 1_000,
    expected: { status: 200, body: 'finished', quick: true },
    library: { status: 200, body: 'finished' },
  },
  {
    can: 'say that a request was sent before it is answered',
    action: 'sleep',
    value: 50,
    expected: { sent: 1, events: ['sent', 'answered'] },
  },
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
  const native: Omit<NativeClientOptions, 'keepAlive'> = {
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
  return { ...outcome, events, sent, quick: performance.now() - started < 900 }
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
