import { renameSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { activeOf, bodyOf, bound, failureOf, numbers, test } from '../support/message-streams.ts'

describe('a message stream that goes wrong', () => {
  test('does not take a long message for unread because of what was sent behind it, and was given to others', async ({
    streams,
  }) => {
    const { send, begun } = bound(await streams({ options: { concurrency: 2 } }))
    for (const n of numbers(1, 20)) await send(n)
    const poison = send(21, { ms: 500, do: 'die' }).then(bodyOf, failureOf)
    await Promise.all(numbers(22, 25).map((n) => send(n)))
    expect(await poison).toEqual({ code: 'CONNECTION_LOST', phase: 'receive' })
    expect(begun().sort((a, b) => a - b)).toEqual(numbers(1, 25))
  })

  test('carries many messages of a script that boots for longer than a request lasts', async ({
    streams,
  }) => {
    const slow = { limits: { lifetime: 300 }, params: { BOOT: '400' }, options: { concurrency: 1 } }
    const { send, requests } = bound(await streams(slow))
    for (const n of numbers(1, 20)) await send(n, { ms: 10 })
    expect(requests()).toBeLessThan(4)
  })

  test('waits for a slow script as long as the first one has taken', async ({ streams }) => {
    const { send, requests } = bound(await streams({ params: { BOOT: '2500' }, options: { concurrency: 1 } }))
    expect(bodyOf(await send(1))).toMatch(/^1 of /)
    expect(requests()).toBe(2)
  })

  test('tries again to connect while other messages are executed for long', async ({ streams }) => {
    const { send, pool } = bound(await streams({ options: { concurrency: 2 } }))
    const long = send(1, { ms: 3_000 }).then(bodyOf)
    await sleep(200)
    renameSync(pool.socket, `${pool.socket}.away`)
    const other = send(2).then(bodyOf)
    await sleep(300)
    renameSync(`${pool.socket}.away`, pool.socket)
    expect(await Promise.race([long, other])).toMatch(/^2 of /)
    await long
  })

  test('does not keep a message for as long as another one is executed where it cannot connect', async ({
    streams,
  }) => {
    const { send, pool } = bound(await streams({ options: { concurrency: 2 } }))
    const long = send(1, { ms: 3_000 }).then(bodyOf)
    await sleep(200)
    renameSync(pool.socket, `${pool.socket}.away`)
    const other = send(2).then(bodyOf, failureOf)
    expect(await Promise.race([long, other])).toEqual({ code: 'CONNECT_FAILED', phase: 'connect' })
    expect(await long).toMatch(/^1 of /)
  })

  test('leaves a child that comes when nobody waits for it any more', async ({ streams }) => {
    const one = { pool: { children: 1, settings: { 'listen.backlog': 0 } }, options: { concurrency: 1 } }
    const { send, pool } = bound(await streams({ ...one, limits: { timeout: 1_000, idle: 100 } }))
    const others = Array.from({ length: 3 }, () => connect({ path: pool.socket }).on('error', () => {}))
    await sleep(100)
    expect(await send(1).then(bodyOf, failureOf)).toEqual({ code: 'TIMEOUT', phase: 'connect' })
    for (const other of others) other.destroy()
    await eventually('its request is there', async () => (await activeOf(pool)) === 1)
    await eventually('the child is idle', async () => (await activeOf(pool)) === 0)
  })

  test('says that the pool has hung up on those who wait in its backlog, and nothing of the script', async ({
    streams,
  }) => {
    const { send, pool, requests } = bound(await streams({ pool: { children: 1 } }))
    const outcomes = numbers(1, 5).map((n) => send(n, { ms: 5_000 }).then(bodyOf, failureOf))
    await eventually('one is executed', () => requests() === 1)
    await sleep(100)
    await pool.kill()
    const codes = (await Promise.all(outcomes)).map((outcome) => (outcome as { code: string }).code)
    expect(codes.sort()).toEqual(
      ['CONNECTION_LOST', ...Array.from({ length: 4 }, () => 'CONNECT_FAILED')].sort(),
    )
  })

  test('gives up on a script that says hello, and its last word', async ({ streams }) => {
    const { send, begun } = bound(await streams({ params: { SAYS: 'E' }, options: { concurrency: 1 } }))
    // The message may have been on its way each time: then other messages tell whose fault it is.
    expect([
      { code: 'NO_HELLO', phase: 'connect' },
      { code: 'NOT_READ', phase: 'unread' },
    ]).toContainEqual(await send(1).then(bodyOf, failureOf))
    expect(begun()).toEqual([])
  })

  test('gives up on a script that asks about no answer', async ({ streams }) => {
    const { send, requests } = bound(await streams({ params: { SAYS: 'Q' }, options: { concurrency: 1 } }))
    // The message may have been on its way already.
    expect(['NO_HELLO', 'CONNECTION_LOST']).toContain((await send(1).catch((error) => error)).code)
    expect(requests()).toBeLessThan(4)
  })

  test('gives up a script that does not end, after the time for a message', async ({ streams }) => {
    const limits = { messages: 2, timeout: 1_000, idle: 100 }
    const { send } = bound(await streams({ limits, params: { LEAVE: '20000' }, options: { concurrency: 1 } }))
    await Promise.all([send(1), send(2)])
    await sleep(800)
    expect(bodyOf(await send(3))).toMatch(/^3 of /)
  })

  test('gives up on a message at which each worker leaves, and on no other', async ({ streams }) => {
    const { send } = bound(await streams({ options: { concurrency: 1 } }))
    const outcomes = numbers(1, 6).map((n) => send(n, n === 3 ? { do: 'leave' } : {}).then(bodyOf, failureOf))
    const [, , third, ...others] = await Promise.all(outcomes)
    expect(third).toEqual({ code: 'NOT_READ', phase: 'unread' })
    expect(others.map((outcome) => String(outcome)[0])).toEqual(['4', '5', '6'])
  })

  test('takes a child for a shorter time where requests wait for one', async ({ streams }) => {
    const { send, requests } = bound(await streams({ pool: { children: 1 }, options: { concurrency: 4 } }))
    const until = performance.now() + 4_000
    const work = async (first: number) => {
      for (let n = first; performance.now() < until; n += 10) await send(n, { ms: 10 })
    }
    await Promise.all(numbers(1, 10).map(work))
    expect(requests()).toBeGreaterThan(6)
  })
})
