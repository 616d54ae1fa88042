import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect } from 'vitest'
import { ConnectQueue } from '../../src/fastcgi/connect-queue.ts'
import { Connection } from '../../src/fastcgi/connection.ts'
import { Exchange } from '../../src/fastcgi/exchange.ts'
import { readPoolStatus } from '../../src/fastcgi/pool-status.ts'
import { RequestEncoder } from '../../src/fastcgi/request.ts'
import { connectPool } from '../../src/fastcgi/socket.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { load } from '../support/load.ts'
import type { Pool } from '../support/pool.ts'
import { behave, clientOptions, nativeClient } from '../support/pool-client.ts'

/* More connects than a pool takes at a time. */

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

describe('a full backlog', () => {
  test.for([true, false])(
    'is waited out, first come first served: 64 requests on 2 children with room for 4 (kept: %s)',
    async (keepAlive, { ownPool }) => {
      const pool = await ownPool({ children: 2, settings: { 'listen.backlog': 4 } })
      const client = nativeClient(pool, { keepAlive })
      await behave(client, 'pid')
      const before = process.cpuUsage()
      const started = performance.now()
      // These fill children and backlog and some wait; all try at once, so that chance has a say in their order.
      const first = upTo(12).map(() => behave(client, 'sleep', 300))
      await sleep(50)
      const served: number[] = []
      const rest = upTo(52).map((number) =>
        behave(client, 'sleep', 50, { onSent: () => served.push(number) }),
      )
      for (const { status } of await Promise.all([...first, ...rest])) expect(status).toBe(200)
      const waited = performance.now() - started
      const { user, system } = process.cpuUsage(before)
      client.close()
      expect(served).toEqual(upTo(52))
      // 12 of 300 ms and 52 of 50 ms, two at a time, are 3.1 s. With children held idle for a second each, the last ones
      // would run out of time.
      expect(waited).toBeGreaterThan(3_000)
      // Of the time waited; it was 8 %.
      expect((user + system) / 1_000 / waited).toBeLessThan(0.4)
    },
  )
})

/** 12 requests at once, with a ConnectQueue of our own; how many children have answered them. */
async function childrenForTwelve(pool: Pool, paced: boolean): Promise<number> {
  const { address, params, maxResponse, maxStderr } = clientOptions(pool)
  const queue = new ConnectQueue({
    connect: connectPool,
    address,
    connectTimeout: 5_000,
    backlogTimeout: 5_000,
    paced: () => paced,
  })
  const more = { ACTION: 'sleep', VALUE: '500' }
  const message = new RequestEncoder({ params, endOfStdin: false }).encode(more, new Uint8Array(0))
  const answers = await Promise.all(
    upTo(12).map(async () => {
      const connection = new Connection(await queue.open(new AbortController().signal), 'unix')
      const exchange = new Exchange({ maxResponse, maxStderr }, 1, performance.now(), 0)
      connection.send(exchange, message, false, () => {})
      const { body } = await exchange.response
      connection.destroy()
      return body.toString()
    }),
  )
  return new Set(answers).size
}

describe('an ondemand pool', () => {
  const ONDEMAND = { pm: 'ondemand', children: 12 } as const
  /**
   * Of 12 requests at once. It is 12 children, or 1 to 3 without pacing; on a machine so busy that php-fpm is late,
   * some requests meet on one child. Then others are sent.
   */
  const HALF = 6
  test.for([true, false])(
    'has children for 12 requests at once (kept: %s)',
    async (keepAlive, { ownPool }) => {
      const children = async () => {
        const client = nativeClient(await ownPool(ONDEMAND), { keepAlive })
        const answers = await Promise.all(upTo(12).map(() => behave(client, 'sleep', 500)))
        client.close()
        return new Set(answers.map(({ body }) => body.toString())).size
      }
      await eventually('few wait for another', async () => {
        expect(await children()).toBeGreaterThanOrEqual(HALF)
        return true
      })
    },
  )

  test('has it because connects are paced: without that, requests queue up on fewer children', async ({
    ownPool,
  }) => {
    expect(await childrenForTwelve(await ownPool(ONDEMAND), false)).toBeLessThan(HALF)
    await eventually('few wait for another', async () => {
      expect(await childrenForTwelve(await ownPool(ONDEMAND), true)).toBeGreaterThanOrEqual(HALF)
      return true
    })
  })

  test('does not crawl with a connection for each request: the next takes the place of the last', async ({
    ownPool,
  }) => {
    const thousandOn = async (pm: 'static' | 'ondemand'): Promise<number> => {
      const client = nativeClient(await ownPool({ pm, children: 4 }), { keepAlive: false })
      await load(8, 4, () => behave(client, 'pid'))
      const started = performance.now()
      await load(1_000, 4, () => behave(client, 'pid'))
      client.close()
      return performance.now() - started
    }
    // With a pause of 2 ms before each it would be several times as long, each time.
    await eventually('it takes about as long as on a static pool', async () => {
      expect(await thousandOn('ondemand')).toBeLessThan(3 * (await thousandOn('static')))
      return true
    })
  })
})

describe('the kind of a pool', () => {
  test.for(['static', 'dynamic', 'ondemand'] as const)(
    '%s is known from its status page',
    async (pm, { ownPool }) => {
      const { address } = clientOptions(await ownPool({ pm }))
      expect((await readPoolStatus(address, '/status', 1_000))?.kind).toBe(pm)
    },
  )

  test('is unknown without a status page, and nothing is executed to find out', async ({ ownPool }) => {
    const { address } = clientOptions(await ownPool())
    expect(await readPoolStatus(address, '/other', 1_000)).toBeUndefined()
  })

  test('is unknown after a second when all children are busy; requests do not wait for it', async ({
    ownPool,
  }) => {
    const pool = await ownPool({ children: 1 })
    const client = nativeClient(pool, { keepAlive: false })
    const release = join(pool.directory, 'release')
    const busy = behave(client, 'wait', release)
    const started = performance.now()
    await expect(readPoolStatus(clientOptions(pool).address, '/status', 1_000)).rejects.toThrow('no answer')
    expect(performance.now() - started).toBeGreaterThanOrEqual(990)
    writeFileSync(release, '')
    expect((await busy).status).toBe(200)
    client.close()
  })
})
