import { getEventListeners } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import type { FastCgiBody } from '../../src/fastcgi/types.ts'
import { deafListener } from '../support/deaf-listener.ts'
import { eventually } from '../support/eventually.ts'
import { answer, keptPool, rawPool } from './kept-pool.ts'
import { clientOf, failureOf, request } from './native-exchange.ts'
import { record, type ScriptedPool, TYPE } from './scripted-pool.ts'

/* A request ends when its time is over, or when it is cancelled, wherever it is by then, and leaves nothing behind. */

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

async function deaf(kind: 'unix' | 'tcp') {
  const listener = await deafListener(kind)
  cleanups.push(() => listener.close())
  return listener
}

const large = Buffer.alloc(32 * 1024 * 1024)
async function* slowly() {
  for (;;) {
    yield Buffer.alloc(1_024)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

interface Phase {
  readonly where: string
  readonly pool: () => Promise<Pick<ScriptedPool, 'address'>>
  readonly body?: () => FastCgiBody
  readonly phase: string
  readonly sent: number
}

const PHASES: readonly Phase[] = [
  {
    where: 'waiting for a place in the backlog (unix)',
    pool: () => deaf('unix'),
    phase: 'connect',
    sent: 0,
  },
  { where: 'connecting (tcp)', pool: () => deaf('tcp'), phase: 'connect', sent: 0 },
  {
    where: 'sending to a pool that does not read',
    // Later it does, or its half of the connection would be left.
    pool: () => rawPool((socket) => void setTimeout(() => socket.resume(), 1_000)),
    body: () => large,
    phase: 'send',
    sent: 0,
  },
  {
    where: 'sending pieces that do not end',
    pool: () => rawPool((socket) => void socket.resume()),
    body: () => ({ length: 1e9, pieces: slowly() }),
    phase: 'send',
    sent: 0,
  },
  { where: 'waiting for the answer', pool: () => keptPool(() => {}), phase: 'receive', sent: 1 },
  {
    where: 'in the middle of the answer',
    pool: () => keptPool((socket) => void socket.write(record(TYPE.stdout, 'A: 1\r\n\r\nhello'))),
    phase: 'receive',
    sent: 1,
  },
]

/** What keeps this process alive, by kind. */
function resources(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return counts
}

describe.each(PHASES)('$where', ({ pool: start, body, phase, sent: expectedSent }) => {
  it.each(['TIMEOUT', 'CANCELLED'])('%s ends it, and nothing is left', async (code) => {
    const pool = await start()
    // What the test before has closed goes with the next turns of the event loop.
    await new Promise((resolve) => setTimeout(resolve, 50))
    const before = resources()
    const timeout = code === 'TIMEOUT' ? 300 : 20_000
    const client = clientOf(pool, { timeout })
    const controller = new AbortController()
    if (code === 'CANCELLED') setTimeout(() => controller.abort(), 300)
    let sent = 0
    const started = performance.now()
    const error = await failureOf(
      client.request(
        request({ ...(body && { body: body() }), signal: controller.signal, onSent: () => (sent += 1) }),
      ),
    )
    expect([error.code, error.phase, sent]).toEqual([code, phase, expectedSent])
    expect(performance.now() - started).toBeGreaterThanOrEqual(295)
    expect(error.message).toBe(
      code === 'TIMEOUT' ? 'no complete answer within 300 ms' : 'the request was cancelled',
    )
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    client.close()
    await eventually('nothing is left', () => {
      const left = [...resources()].filter(([kind, count]) => count > (before.get(kind) ?? 0))
      if (left.length > 0) throw new Error(String(left))
      return true
    })
  })
})

describe('an answer in time', () => {
  it('leaves no listener on the signal, and no timer', async () => {
    const pool = await keptPool((socket) => void socket.write(answer()))
    const client = clientOf(pool, { timeout: 60_000 })
    await client.probe()
    const before = process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
    const { signal } = new AbortController()
    for (let turn = 0; turn < 20; turn += 1) await client.request(request({ signal }))
    expect(getEventListeners(signal, 'abort')).toEqual([])
    const after = process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
    // The one that asked for the kind of the pool may still be there.
    expect(after).toBeLessThanOrEqual(before + 1)
  })

  it('is not disturbed by a signal that is aborted later', async () => {
    const pool = await keptPool((socket) => void socket.write(answer()))
    const client = clientOf(pool)
    const controller = new AbortController()
    await client.request(request({ signal: controller.signal }))
    controller.abort()
    expect((await client.request(request())).status).toBe(200)
    expect(pool.connections).toBe(1)
  })

  it('may take for ever where there is no limit', async () => {
    const pool = await keptPool((socket) => void setTimeout(() => socket.write(answer()), 300))
    expect((await clientOf(pool, { timeout: 0 }).request(request())).status).toBe(200)
  })
})

describe('a connection whose request was given up', () => {
  it.each(['TIMEOUT', 'CANCELLED'])('after %s is closed, and never used again', async (code) => {
    let late = (): void => {}
    const pool = await keptPool((socket, _turn, _connection, { params }) => {
      if (params.has('LATE')) late = () => void socket.write(answer('late'))
      else socket.write(answer())
    })
    const client = clientOf(pool, { timeout: code === 'TIMEOUT' ? 1_000 : 20_000 })
    await client.request(request())
    const controller = new AbortController()
    const { signal } = controller
    const failed = failureOf(client.request(request({ params: { LATE: '1' }, signal })))
    await eventually('it is there', () => pool.received.length === 2)
    if (code === 'CANCELLED') controller.abort()
    expect((await failed).code).toBe(code)
    late()
    await eventually('it is closed', () => pool.open === 0)
    expect((await client.request(request())).body.toString()).toBe('hello')
    expect(pool.connections).toBe(2)
  })
})

it('a body that breaks off ends its request: not handed over whole', async () => {
  async function* broken() {
    yield Buffer.from('a=')
    throw new Error('disk on fire')
  }
  const pool = await rawPool((socket) => void socket.resume())
  const error = await failureOf(clientOf(pool).request(request({ body: { length: 10, pieces: broken() } })))
  expect([error.code, error.phase]).toEqual(['SEND_FAILED', 'send'])
  expect(error.message).toContain('disk on fire')
})
