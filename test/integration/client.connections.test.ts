import { subscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect } from 'vitest'
import type { PoolClient, PoolClientOptions } from '../../src/fastcgi/client.ts'
import { RequestEncoder } from '../../src/fastcgi/request.ts'
import type { FastCgiError, FastCgiRequest } from '../../src/fastcgi/types.ts'
import { eventually } from '../support/eventually.ts'
import { type Fixtures, test } from '../support/fixtures.ts'
import { load, openSockets } from '../support/load.ts'
import type { Pool } from '../support/pool.ts'
import { behave, clientOptions, nativeClient } from '../support/pool-client.ts'
import type { PoolOptions } from '../support/pool-configuration.ts'
import { readRecords, recordScript } from '../support/records.ts'

/* What kept connections cost a real pool, and the others who use it. */

const clients: PoolClient[] = []
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})

function clientOf(pool: Pool, options?: Partial<PoolClientOptions>): PoolClient {
  const client = nativeClient(pool, options)
  clients.push(client)
  return client
}

/**
 * The connections that this process has asked for so far. The pool's status page is no help: what it calls accepted
 * connections are requests.
 */
let connects = 0
subscribe('net.client.socket', () => {
  connects += 1
})

/** Of a client's requests, answered with the child's process id. */
const pids = (client: PoolClient, count: number, concurrency: number) =>
  load(count, concurrency, async () => Number((await behave(client, 'pid')).body.toString()))

describe('a connection', () => {
  test.for<[boolean, number]>([
    [true, 1],
    [false, 20],
  ])('serves many requests or one (kept: %s)', async ([keepAlive, expected], { ownPool }) => {
    const client = clientOf(await ownPool(), { keepAlive })
    await client.probe() // and with it goes the question for the status page
    const before = connects
    // Far fewer than fit into the second after which a connection is let go.
    const children = await pids(client, 20, 1)
    expect(connects - before).toBeGreaterThanOrEqual(expected)
    expect(connects - before).toBeLessThanOrEqual(expected + 1)
    if (keepAlive) expect(new Set(children).size).toBe(1)
  })

  test.for([true, false])(
    'is one of as many as there are requests at a time (kept: %s)',
    async (keepAlive, { ownPool }) => {
      const client = clientOf(await ownPool(), { keepAlive })
      await client.probe()
      await behave(client, 'pid')
      const before = openSockets()
      let most = 0
      await load(800, 3, async () => {
        await behave(client, 'pid')
        most = Math.max(most, openSockets() - before)
      })
      expect(most).toBeGreaterThan(0)
      // A socket that was closed in this turn of the event loop is gone in the next.
      expect(most).toBeLessThanOrEqual(keepAlive ? 4 : 6)
    },
  )

  test('is let go after 200 requests', async ({ ownPool }) => {
    const client = clientOf(await ownPool())
    const before = connects
    await pids(client, 600, 1)
    expect(connects - before).toBeGreaterThanOrEqual(3)
  })

  test('is let go: nothing is left open', async ({ ownPool }) => {
    const before = openSockets()
    const client = clientOf(await ownPool())
    await pids(client, 20, 4)
    expect(openSockets()).toBeGreaterThan(before)
    await eventually('all are closed', () => openSockets() <= before)
  })
})

describe('a pool whose children come and go', () => {
  /** Messages of `recordScript`, which notes each execution. What was not read is sent once more, as the bridge does. */
  const execute = async (client: PoolClient, number: number) => {
    const request = {
      params: { CONTENT_TYPE: 'application/x-www-form-urlencoded', AMQP_QUEUE: 'q' },
      body: Buffer.from(`number=${number}&sleepMs=2`),
    }
    return client.request(request).catch((error: FastCgiError) => {
      if (error.phase !== 'unread') throw error
      return client.request({ ...request, fresh: true })
    })
  }

  /** A thousand messages, four at a time; those that were executed, and the errors. */
  async function executeAll(
    keepAlive: boolean,
    ownPool: Fixtures['ownPool'],
    options: PoolOptions,
    disturb: (pool: Pool) => Promise<void> = async () => {},
  ) {
    const folder = (await ownPool({ children: 1 })).directory
    const pool = await ownPool({ ...options, environment: { WORKER_LOG: `${folder}/log` } })
    const client = clientOf(pool, { keepAlive, params: clientOptions(pool, recordScript).params })
    const failed = new Map<number, FastCgiError>()
    const loaded = load(1_000, 4, (number) =>
      execute(client, number).then(
        ({ status }) => expect(status).toBe(200),
        (error: FastCgiError) => void failed.set(number, error),
      ),
    )
    await Promise.all([loaded, disturb(pool)])
    const executed = readRecords(`${folder}/log`, 'q').map(({ post }) => Number(post['number']))
    return { executed: executed.sort((a, b) => a - b), failed }
  }

  const all = Array.from({ length: 1_000 }, (_, index) => index + 1)
  const reloadThrice = async (pool: Pool) => {
    for (let time = 0; time < 3; time += 1) {
      await sleep(150)
      await pool.reload()
    }
  }
  const graceful = { global: { process_control_timeout: '10s' } }

  test.for([true, false])(
    'at pm.max_requests: nothing is lost, nothing is done twice, and nobody sees it (kept: %s)',
    async (keepAlive, { ownPool }) => {
      // Of 1,000 requests a hundred are the last of their child.
      const options = { settings: { 'pm.max_requests': 10 } }
      const { executed, failed } = await executeAll(keepAlive, ownPool, options)
      expect([...failed]).toEqual([])
      expect(executed).toEqual(all)
    },
  )

  test.for([true, false])(
    'on a reload: nothing is lost, nothing is done twice, and nobody sees it (kept: %s)',
    async (keepAlive, { ownPool }) => {
      const { executed, failed } = await executeAll(keepAlive, ownPool, graceful, reloadThrice)
      expect([...failed]).toEqual([])
      expect(executed).toEqual(all)
    },
  )
})

/*
 * What was not read is sent once more, and does not count: so that must never be how a child ends that was killed while it
 * executed. On a Unix socket the kernel says reset only when something was left unread, and nothing is, where the record that
 * ends stdin is withheld. Over TCP that record is sent, and php-fpm never reads it: there it is a reset.
 */
describe('a child that is killed on a reused connection', () => {
  const form = { params: { CONTENT_TYPE: 'application/x-www-form-urlencoded' } }
  const raw = { params: { CONTENT_TYPE: 'application/octet-stream' } }

  test.for<[string, Partial<FastCgiRequest>]>([
    ['no body', {}],
    ['a form', { ...form, body: Buffer.from('a=1') }],
    ['bytes', { ...raw, body: Buffer.from('abc') }],
    ['a large form', { ...form, body: Buffer.alloc(1024 * 1024, 'a') }],
    ['many bytes', { ...raw, body: Buffer.alloc(1024 * 1024, 'a') }],
  ])('with %s, all of it read, has executed once', async ([, given], { ownPool }) => {
    for (const listen of ['unix', 'tcp'] as const) {
      const pool = await ownPool({ listen, children: 2 })
      const note = join(pool.directory, 'note')
      const client = clientOf(pool)
      await behave(client, 'pid')
      const error = await behave(client, 'note and die', note, given).catch((caught: unknown) => caught)
      const systemCode = listen === 'unix' ? 'EOF' : 'ECONNRESET'
      expect(error).toMatchObject({ code: 'CONNECTION_LOST', phase: 'receive', systemCode })
      expect(readFileSync(note, 'utf8')).toBe('x')
    }
  })
})

describe('a pool that others use, too', () => {
  /**
   * Has each of these keep a request under way until all have had so many turns: were a connection held for as long as
   * it has work, who waits for its child would never have one.
   */
  async function allHaveTurns(turns: number, clients: readonly PoolClient[]): Promise<void> {
    let waiting = clients.length
    const slot = async (client: PoolClient) => {
      for (let turn = 1; turn <= turns || waiting > 0; turn += 1) {
        await behave(client, 'sleep', 2)
        if (turn === turns) waiting -= 1
      }
    }
    await Promise.all(clients.map(slot))
  }

  test.for([1, 2])(
    'two clients that keep connections, %i each, and one that does not share two children: all have their turns',
    async (connections, { ownPool }) => {
      const pool = await ownPool({ children: 2 })
      const keeping = [clientOf(pool), clientOf(pool)].flatMap((client) => Array(connections).fill(client))
      await allHaveTurns(2, [...keeping, clientOf(pool, { keepAlive: false })])
    },
  )

  test('a connection that somebody keeps and does not use holds its child, and the others go on', async ({
    ownPool,
  }) => {
    const pool = await ownPool({ children: 2 })
    const foreign = connect(pool.socket)
    const { params } = clientOptions(pool)
    const encoder = new RequestEncoder({ params, endOfStdin: false })
    const [bytes] = encoder.encode({ ACTION: 'pid' }, Buffer.alloc(0)).toBuffers(1, true)
    foreign.write(bytes as Buffer)
    await once(foreign, 'data')
    // Three connections for the one child that is left.
    const client = clientOf(pool)
    await allHaveTurns(10, [client, client, client])
    foreign.destroy()
  })
})
