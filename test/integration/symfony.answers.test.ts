import { join } from 'node:path'
import { expect } from 'vitest'
import type { FastCgiResponse } from '../../src/fastcgi/types.ts'
import type { Pool } from '../support/pool.ts'
import { nativeClient } from '../support/pool-client.ts'
import { SYMFONY_EXTENSIONS, symfonyFolder } from '../support/symfony.ts'
import { test } from '../support/symfony-fixtures.ts'
import { markerOf } from '../support/worker-requests.ts'

/* Single requests to an application of Symfony Messenger, and what it answers. */

interface Attempt {
  /** Default 1 of 5. */
  readonly attempt?: number
  readonly headers?: Readonly<Record<string, string>>
}

const TASK = { type: 'App\\Task' }

/** Sends a message as the daemon would. */
async function send(pool: Pool, body: string, { attempt = 1, headers = TASK }: Attempt = {}) {
  const client = nativeClient(pool, { keepAlive: false })
  const params = {
    SCRIPT_FILENAME: join(symfonyFolder, 'plain.php'),
    CONTENT_TYPE: 'application/json',
    AMQP_DAEMON_ID: 'D-1f3a9c02',
    AMQP_QUEUE: 'messages',
    AMQP_EXECUTION_ID: 'e6b1a1f2-0000-4000-8000-000000000001',
    AMQP_ATTEMPT: String(attempt),
    AMQP_MAX_ATTEMPTS: '5',
    AMQP_HEADERS: JSON.stringify(headers),
  }
  try {
    return await client.request({ params, body: Buffer.from(body) })
  } finally {
    await client.close()
  }
}

const task = (what: string) => JSON.stringify({ do: what, bytes: '' })
const subjectOf = ({ headers }: FastCgiResponse) => headers.get('x-bridge-subject')?.join()

interface Fixtures {
  /** Starts a pool whose application has this serializer, and these settings. */
  poolOf: (serializer: 'json' | 'php', environment?: Readonly<Record<string, string>>) => Promise<Pool>
}

const it = test.extend<Fixtures>({
  poolOf: async ({ notes, ownPool }, use) => {
    await use((serializer, environment = {}) =>
      ownPool({
        environment: { NOTES: notes, SERIALIZER: serializer, ...environment },
        extensions: SYMFONY_EXTENSIONS,
      }),
    )
  },
})

it('a Hold holds, also at the last attempt', async ({ poolOf }) => {
  const pool = await poolOf('json')
  for (const attempt of [1, 5]) {
    const response = await send(pool, task('hold'), { attempt })
    expect([response.status, markerOf(response)]).toEqual([503, ['hold']])
    expect(response.headers.get('retry-after')).toEqual(['30'])
    expect(response.stderr).toContain('): the database is away')
  }
})

it('the class of the message is its subject, whatever becomes of it', async ({ poolOf }) => {
  const pool = await poolOf('json')
  for (const [what, marker] of [
    ['work', 'ack'],
    ['fail', 'retry'],
    ['refuse', 'dead-letter'],
    ['exit', 'retry'],
    ['out of memory', 'retry'],
  ] as const) {
    const response = await send(pool, task(what))
    expect([markerOf(response), subjectOf(response)], what).toEqual([[marker], 'App\\Task'])
  }
  const unknown = await send(pool, task('work'), { headers: { type: 'App\\Unknown' } })
  expect([markerOf(unknown), subjectOf(unknown)]).toEqual([['dead-letter'], 'App\\Unknown'])
})

it('a log that cannot be written and a listener that throws change nothing about what becomes of a failure', async ({
  poolOf,
}) => {
  const pool = await poolOf('json', { BROKEN_LISTENERS: '1' })
  for (const [what, attempt, status, marker, reason] of [
    ['refuse', 1, 422, 'dead-letter', 'no such invoice'],
    ['fail', 1, 500, 'retry', 'not today'],
    ['fail', 5, 500, 'retry', 'not today'],
    ['hold', 1, 503, 'hold', 'the database is away'],
  ] as const) {
    const response = await send(pool, task(what), { attempt })
    expect([response.status, markerOf(response)], what).toEqual([status, [marker]])
    for (const said of [reason, 'the log cannot be written', 'the listener is broken']) {
      expect(response.stderr, what).toContain(said)
    }
  }
})

it('a serializer that is not the transport’s is hinted at', async ({ poolOf }) => {
  const hint = 'name that of the transport as $serializer'
  const json = await send(await poolOf('php'), task('work'))
  expect(markerOf(json)).toEqual(['dead-letter'])
  expect(json.stderr).toContain(
    `its body looks like JSON, and this is the serializer of serialize(): ${hint}`,
  )

  const serialized = await send(await poolOf('json'), 'O:36:\\"Symfony', { headers: {} })
  expect(markerOf(serialized)).toEqual(['dead-letter'])
  expect(serialized.stderr).toContain(`its body is of serialize(), and this is another serializer: ${hint}`)
})
