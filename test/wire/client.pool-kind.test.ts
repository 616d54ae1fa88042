import { afterEach, describe, expect, it, vi } from 'vitest'
import { PoolAcquaintance } from '../../src/fastcgi/pool-acquaintance.ts'
import { pingPool, readPoolStatus } from '../../src/fastcgi/pool-status.ts'
import type { FastCgiError } from '../../src/fastcgi/types.ts'
import { eventually } from '../support/eventually.ts'
import { answer, keptPool, rawPool, STATUS_PATH, statusPage } from './kept-pool.ts'
import { clientOf, failureOf, request } from './native-exchange.ts'
import { answering, endRequest, record, TYPE } from './scripted-pool.ts'

afterEach(() => {
  vi.useRealTimers()
})

describe('the question for the status page', () => {
  it('never names a script: a pool without the page would run it', async () => {
    const pool = await rawPool(
      (socket, received) => void socket.on('data', (chunk: Buffer) => received.take(chunk)),
    )
    const params = { SCRIPT_FILENAME: '/srv/worker.php', SCRIPT_NAME: '/worker.php' }
    await clientOf(pool, { params }).probe()
    const [question] = await eventually('it is asked', () => {
      const asked = pool.requests.filter(({ whole }) => whole)
      return asked.length > 0 && asked
    })
    expect(Object.fromEntries(question?.params ?? [])).toEqual({
      REQUEST_METHOD: 'GET',
      SCRIPT_NAME: STATUS_PATH,
      SCRIPT_FILENAME: STATUS_PATH,
      QUERY_STRING: 'json',
      CONTENT_LENGTH: '0',
    })
    expect(question?.stdin.length).toBe(0)
  })

  it.each<[string, Buffer]>([
    [
      'a page that is not there',
      Buffer.concat([record(TYPE.stdout, 'Status: 404\r\n\r\nFile not found.\n'), endRequest()]),
    ],
    ['another page', answer('<html>')],
    ['JSON of somebody else', answer('{"pool": "x"}')],
    ['JSON null', answer('null')],
    ['a kind that php-fpm does not have', answer(statusPage('magic'))],
    ['numbers that are none', answer(statusPage('static').replaceAll('1', '"1"'))],
  ])('is not answered by %s', async (_, bytes) => {
    const { address } = await rawPool(answering(bytes))
    expect(await readPoolStatus(address, STATUS_PATH, 1_000)).toBeUndefined()
    expect(await pingPool(address, '/ping', 1_000)).toBe(false)
  })

  it.each<[string, Buffer, boolean]>([
    ['nothing', Buffer.alloc(0), false],
    ['garbage', Buffer.alloc(100, 0xff), false],
    ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), false],
    ['a refusal', endRequest(2), true],
    ['an end alone', endRequest(), true],
    ['a page that is not there', answer('no page'), true],
  ])(
    'that is answered by %s leaves the kind unknown, and tells whether FastCGI is spoken',
    async (_, bytes, speaks) => {
      const { address } = await rawPool(answering(bytes))
      const pool = new PoolAcquaintance(address, STATUS_PATH)
      const code = await pool.requireFastCgi().then(
        () => undefined,
        (error: FastCgiError) => error.code,
      )
      expect([pool.kind, code]).toEqual([undefined, speaks ? undefined : 'NO_FASTCGI'])
    },
  )

  it('that nobody answers in time tells nothing: all children may be busy', async () => {
    const { address } = await rawPool((socket) => void socket.resume())
    const pool = new PoolAcquaintance(address, STATUS_PATH)
    await pool.requireFastCgi()
    expect(pool.kind).toBeUndefined()
  })

  it('is not put for ever to a pool that has no such page, and once more when it was away', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const pool = await rawPool(answering(answer('no page')))
    const acquaintance = new PoolAcquaintance(pool.address, STATUS_PATH)
    await acquaintance.requireFastCgi()
    for (let hour = 0; hour < 100; hour += 1) {
      vi.advanceTimersByTime(3_600_000)
      acquaintance.lookAgain()
    }
    expect(pool.requests).toHaveLength(1)
    await acquaintance.meet()
    await eventually('it is asked', () => pool.requests.length === 2)
  })

  it('is put less and less often to a pool that does not answer', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const pool = await rawPool((socket) => void socket.destroy())
    const acquaintance = new PoolAcquaintance(pool.address, STATUS_PATH)
    for (let second = 0; second < 3_600; second += 1) {
      acquaintance.lookAgain()
      await new Promise((resolve) => setImmediate(resolve))
      vi.advanceTimersByTime(1_000)
    }
    // After 0, 10, 30, 70, 150, 310, 630, 1230, 1830, 2430 and 3030 s.
    await eventually('all are there', () => pool.requests.length === 11)
  })

  it('is given up in time', async () => {
    const { address } = await rawPool((socket) => void socket.resume())
    expect((await failureOf(readPoolStatus(address, STATUS_PATH, 200))).code).toBe('TIMEOUT')
  })
})

describe('connects', () => {
  /** A client that knows the kind of its pool, or knows that nobody says so. */
  async function clientThatHasAsked(status: string) {
    const pool = await keptPool(
      (socket) => void setTimeout(() => socket.write(answer()), 1_000),
      'unix',
      status,
    )
    const client = clientOf(pool)
    await client.probe()
    await eventually('the pool has said it', () => pool.told === 1)
    return client
  }

  const twoHundred = (client: Awaited<ReturnType<typeof clientThatHasAsked>>) =>
    Promise.all(Array.from({ length: 200 }, () => client.request(request())))

  it.each([
    ['an ondemand pool', statusPage('ondemand')],
    ['a pool that does not say', 'nothing'],
  ])('to %s are paced', async (_, status) => {
    const responses = await twoHundred(await clientThatHasAsked(status))
    // 199 pauses of 2 ms.
    expect(Math.max(...responses.map(({ timings }) => timings.connect))).toBeGreaterThanOrEqual(398)
  })

  it.each(['static', 'dynamic'])('to a %s pool are not', async (kind) => {
    const client = await clientThatHasAsked(statusPage(kind))
    // No time passes: what is kept for 2 ms is kept for ever.
    vi.useFakeTimers({ toFake: ['performance'] })
    expect(await twoHundred(client)).toHaveLength(200)
  })
})
