import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect } from 'vitest'
import type { FastCgiResponse } from '../../src/fastcgi/types.ts'
import { eventually } from '../support/eventually.ts'
import { testScript } from '../support/fixtures.ts'
import { activeOf, bodyOf, bound, failureOf, numbers, test, workerOf } from '../support/message-streams.ts'
import { childrenOf, signalIfThere } from '../support/processes.ts'

describe('a message stream', () => {
  test('carries many messages in a request, each with its answer', async ({ streams }) => {
    const { send, begun, pool } = bound(await streams({ pool: { children: 2 }, options: { concurrency: 1 } }))
    const answers = await Promise.all(numbers(1, 60).map((n) => send(n)))
    expect(answers.map((answer) => bodyOf(answer).split(' ')[0])).toEqual(numbers(1, 60).map(String))
    expect(new Set(answers.map(workerOf)).size).toBe(1)
    expect(
      answers.every(
        ({ status, headers }) => status === 200 && headers.get('x-bridge-outcome')?.[0] === 'ack',
      ),
    ).toBe(true)
    expect(begun()).toEqual(numbers(1, 60))
    expect(pool.errorLog()).not.toContain('WARNING')
  })

  test('ends after so many messages, after its lifetime, after so many bytes', async ({ streams }) => {
    const one = { pool: { children: 4 }, options: { concurrency: 1 } }
    const many = bound(await streams({ ...one, limits: { messages: 10 } }))
    for (const n of numbers(1, 25)) await many.send(n)
    expect(many.requests()).toBe(3)
    const short = bound(await streams({ ...one, limits: { lifetime: 300 } }))
    await short.send(1)
    await sleep(500)
    await short.send(2)
    expect(short.requests()).toBe(2)
    const large = bound(await streams({ ...one, limits: { bytes: 1_000_000 } }))
    await large.send(1, {}, 2_000_000)
    expect(bodyOf(await large.send(2))).toContain('2 of 3 ')
    expect(large.requests()).toBe(2)
  })

  test('takes no message behind the one that makes it full, of those that come at once', async ({
    streams,
  }) => {
    const { send, requests } = bound(
      await streams({
        pool: { children: 4 },
        options: { concurrency: 1 },
        limits: { bytes: 3_000 },
        params: { SILENT: '1' },
      }),
    )
    for (const n of numbers(1, 5)) await send(n)
    const answers = await Promise.all(numbers(6, 13).map((n) => send(n, {}, 4_000)))
    expect(answers.map((answer) => bodyOf(answer).split(' ')[0])).toEqual(numbers(6, 13).map(String))
    expect(requests()).toBe(8)
  })

  test('says what became of each message when its worker is killed', async ({ streams }) => {
    const { send, begun } = bound(await streams({ options: { concurrency: 1 } }))
    await Promise.all(numbers(1, 3).map((n) => send(n)))
    const outcomes = await Promise.all(
      numbers(4, 9).map((n) => send(n, n === 5 ? { do: 'die' } : {}).then(bodyOf, failureOf)),
    )
    expect(outcomes[1]).toEqual({ code: 'CONNECTION_LOST', phase: 'receive' })
    expect(outcomes.filter((outcome) => typeof outcome === 'string')).toHaveLength(5)
    expect(begun().sort((a, b) => a - b)).toEqual(numbers(1, 9))
  })

  test('has a message that was sent behind a long one executed by another child, once', async ({
    streams,
  }) => {
    const { send, begun } = bound(await streams({ options: { concurrency: 2 } }))
    for (const n of numbers(1, 20)) await send(n)
    const long = send(21, { ms: 1_500 })
    const started = performance.now()
    const behind = await Promise.all(numbers(22, 25).map((n) => send(n)))
    const took = performance.now() - started
    expect(took).toBeLessThan(1_400)
    await long
    expect(behind.map((answer) => bodyOf(answer).split(' ')[0])).toEqual(['22', '23', '24', '25'])
    for (const n of numbers(26, 40)) await send(n)
    expect(begun().sort((a, b) => a - b)).toEqual(numbers(1, 40))
  })

  test('takes an answer for that of its message, whatever else is printed', async ({ streams }) => {
    const { send } = bound(await streams({ options: { concurrency: 1 } }))
    const answers = await Promise.all(
      numbers(1, 6).map((n) => send(n, n % 2 === 0 ? { do: 'print', bytes: 100_000 } : { do: 'complain' })),
    )
    expect(answers.map((answer) => bodyOf(answer).split(' ')[0])).toEqual(['1', '2', '3', '4', '5', '6'])
    expect(answers.map(({ stderr }) => /about \d/.exec(stderr)?.[0])).toEqual([
      'about 1',
      undefined,
      'about 3',
      undefined,
      'about 5',
      undefined,
    ])
  })

  test('cuts an answer that is too large, and goes on behind it', async ({ streams }) => {
    const { send } = bound(await streams({ options: { concurrency: 1 } }))
    const [large, next] = await Promise.all([send(1, { do: 'large', bytes: 10_000_000 }), send(2)])
    expect(large).toMatchObject({ status: 200, bodyTruncated: true })
    expect(bodyOf(next as FastCgiResponse)).toMatch(/^2 of /)
  })

  test('gives up a message that takes too long, and no other', async ({ streams }) => {
    const { send, begun } = bound(await streams({ limits: { timeout: 1_000 }, options: { concurrency: 1 } }))
    for (const n of numbers(1, 5)) await send(n)
    const outcomes = await Promise.all(
      numbers(6, 8).map((n) => send(n, n === 6 ? { ms: 3_000 } : {}).then(bodyOf, failureOf)),
    )
    expect(outcomes[0]).toEqual({ code: 'TIMEOUT', phase: 'receive' })
    expect(
      begun()
        .filter((n) => n > 6)
        .every((n, index, all) => all.indexOf(n) === index),
    ).toBe(true)
    await sleep(3_000)
    expect(begun().sort((a, b) => a - b)).toEqual([...new Set(begun())].sort((a, b) => a - b))
  })

  test('executes nothing where the script does not speak it', async ({ streams }) => {
    const plain = testScript('behave.php')
    const { send } = bound(
      await streams({ options: { params: { SCRIPT_FILENAME: plain, SCRIPT_NAME: '/behave.php' } } }),
    )
    await expect(send(1)).rejects.toMatchObject({
      code: 'NO_HELLO',
      phase: 'connect',
      message: expect.stringContaining('Worker::run'),
    })
  })

  test('loses and doubles nothing while children are killed and the pool is reloaded', async ({
    streams,
  }) => {
    const { send, begun, pool } = bound(await streams({ pool: { children: 4 }, limits: { messages: 50 } }))
    const outcomes: Promise<string>[] = []
    let stop = false
    const disturbed = (async () => {
      while (!stop) {
        await sleep(60)
        const children = childrenOf(pool.masterPid)
        const victim = children[Math.floor(Math.random() * children.length)]
        if (victim !== undefined) signalIfThere(victim, 'SIGKILL')
      }
    })()
    for (const n of numbers(1, 2_000)) {
      outcomes.push(
        send(n, { ms: n % 100 === 0 ? 80 : 1 }).then(bodyOf, (error: unknown) => failureOf(error).phase),
      )
      if (n % 20 === 0) await Promise.race(outcomes.slice(-20))
    }
    const all = await Promise.all(outcomes)
    stop = true
    await disturbed
    const times = new Map<number, number>()
    for (const n of begun()) times.set(n, (times.get(n) ?? 0) + 1)
    expect([...times.values()].filter((count) => count > 1)).toEqual([])
    all.forEach((outcome, index) => {
      const n = index + 1
      if (outcome === 'unread' || outcome === 'connect')
        expect(times.get(n), `message ${n}: ${outcome}`).toBeUndefined()
      else if (outcome !== 'receive') expect(times.get(n), `message ${n}: ${outcome}`).toBe(1)
    })
    expect(all.filter((outcome) => outcome === 'receive').length).toBeLessThan(60)
  })

  test('leaves its children to others when it is idle', async ({ streams }) => {
    const { send, pool } = bound(await streams({ limits: { lifetime: 60_000, idle: 200 } }))
    await Promise.all(numbers(1, 8).map((n) => send(n)))
    await eventually('the children are idle', async () => (await activeOf(pool)) === 0)
  })

  test('leaves its children to others at once when it is closed', async ({ streams }) => {
    const { send, client, pool } = bound(await streams({ limits: { lifetime: 60_000, idle: 60_000 } }))
    await send(1)
    expect(await activeOf(pool)).toBe(1)
    client.close()
    await eventually('the child is idle', async () => (await activeOf(pool)) === 0)
  })
})
