import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { answer, keptPool, stopReading } from './kept-pool.ts'
import { clientOf, failureOf, request } from './native-exchange.ts'

/* A reused connection that has ended meanwhile: whether the request may be sent again. */

describe('a reused connection that ends before any byte of an answer', () => {
  /** Closes each connection in the way given when its second request has come. */
  const closing = (close: (socket: Socket) => void, kind: 'unix' | 'tcp' = 'unix') =>
    keptPool((socket, turn) => {
      if (turn === 1) socket.write(answer())
      else close(socket)
    }, kind)

  it('over TCP is replaced, once for each, and nobody sees it', async () => {
    const pool = await closing((socket) => void socket.end(), 'tcp')
    const client = clientOf(pool)
    let sent = 0
    for (let turn = 1; turn <= 3; turn += 1) {
      const response = await client.request(request({ onSent: () => (sent += 1) }))
      expect(response.status).toBe(200)
    }
    // First the one, then the other half of each connection's life.
    expect([pool.connections, pool.received.length, sent]).toEqual([3, 5, 5])
  })

  it('over TCP is not replaced when it was reset: so a killed child looks', async () => {
    const pool = await closing((socket) => void socket.resetAndDestroy(), 'tcp')
    const client = clientOf(pool)
    await client.request(request())
    const error = await failureOf(client.request(request()))
    expect([error.code, error.phase, error.systemCode]).toEqual(['CONNECTION_LOST', 'receive', 'ECONNRESET'])
    expect(pool.received.length).toBe(2)
  })

  it('was closed between the requests: the next goes to another', async () => {
    const pool = await keptPool((socket) => void socket.end(answer()))
    const client = clientOf(pool)
    for (let turn = 1; turn <= 3; turn += 1) {
      expect((await client.request(request())).status).toBe(200)
      await eventually('it is closed', () => pool.open === 0)
    }
    expect(pool.connections).toBe(3)
  })

  it('and had read the request may have executed it: so a killed child looks', async () => {
    const pool = await closing((socket) => void socket.destroy())
    const client = clientOf(pool)
    await client.request(request())
    const error = await failureOf(client.request(request()))
    expect([error.code, error.phase, error.systemCode]).toEqual(['CONNECTION_LOST', 'receive', 'EOF'])
    expect(pool.received.length).toBe(2)
  })

  it('and had not read the request says so (ECONNRESET)', async () => {
    const pool = await keptPool((socket) => {
      stopReading(socket)
      socket.write(answer(), () => setTimeout(() => socket.destroy(), 100))
    })
    const client = clientOf(pool)
    await client.request(request())
    const error = await failureOf(client.request(request()))
    expect([error.code, error.phase, error.systemCode]).toEqual(['NOT_READ', 'unread', 'ECONNRESET'])
  })

  it('and was gone before the request says so (EPIPE)', async () => {
    const pool = await keptPool((socket) => void socket.write(answer()))
    const client = clientOf(pool)
    await client.request(request())
    const closed = client.request(request({ fresh: true }))
    await closed
    for (const socket of pool.sockets) socket.destroy()
    // In this very turn nobody here can have seen the end of the file.
    const error = await failureOf(client.request(request()))
    expect([error.code, error.phase, error.systemCode]).toEqual(['NOT_READ', 'unread', 'EPIPE'])
  })

  it('and dropped the request, as php-fpm does at pm.max_requests, says so', async () => {
    // Its own side is ended; the other is read on, and nothing is done with it.
    const pool = await closing((socket) => void socket.end().resume())
    const client = clientOf(pool)
    await client.request(request())
    const error = await failureOf(client.request(request()))
    expect([error.code, error.phase]).toEqual(['NOT_READ', 'unread'])
  })

  it('is not used where a fresh one is asked for', async () => {
    const pool = await keptPool((socket) => void socket.write(answer()))
    const client = clientOf(pool)
    for (let turn = 1; turn <= 3; turn += 1) await client.request(request({ fresh: true }))
    expect(pool.connections).toBe(3)
  })

  it.each<[string, Buffer]>([
    ['one byte', Buffer.from([1])],
    ['half an answer', answer().subarray(0, -16)],
  ])('is not replaced after %s of an answer', async (_, bytes) => {
    const pool = await closing((socket) => void socket.end(bytes))
    const client = clientOf(pool)
    await client.request(request())
    const error = await failureOf(client.request(request()))
    expect([error.code, error.phase, error.systemCode]).toEqual(['CONNECTION_LOST', 'receive', 'EOF'])
    expect(pool.received.length).toBe(2)
  })

  it('over TCP is replaced by a fresh one, whose end is an error: there is no loop', async () => {
    let gone = false
    const pool = await keptPool((socket) => {
      if (gone) socket.end()
      else socket.write(answer())
    }, 'tcp')
    const client = clientOf(pool)
    await client.request(request())
    // Three connections, all idle.
    await Promise.all([1, 2, 3].map(() => client.request(request())))
    expect(pool.connections).toBe(3)
    gone = true
    const error = await failureOf(client.request(request()))
    expect([error.code, error.phase]).toEqual(['CONNECTION_LOST', 'receive'])
    expect([pool.connections, pool.received.length]).toEqual([4, 6])
  })

  it('is not used for a body beyond one write, of which a part could have been read', async () => {
    const pool = await keptPool((socket) => void socket.write(answer()))
    const client = clientOf(pool)
    const body = Buffer.alloc(64 * 1024)
    for (let turn = 1; turn <= 3; turn += 1) await client.request(request({ body }))
    expect([pool.connections, pool.received.map(({ stdin }) => stdin.length)]).toEqual([
      3,
      [65_536, 65_536, 65_536],
    ])
  })

  it('is not used for a body in pieces, which could not be sent again', async () => {
    async function* pieces() {
      yield Buffer.from('a=')
      yield Buffer.from('1')
    }
    const pool = await closing((socket) => void socket.end())
    const client = clientOf(pool)
    for (let turn = 1; turn <= 3; turn += 1) {
      const body = { length: 3, pieces: pieces() }
      expect((await client.request(request({ body }))).status).toBe(200)
    }
    expect(pool.received.map(({ stdin }) => stdin.toString())).toEqual(['a=1', 'a=1', 'a=1'])
  })
})
