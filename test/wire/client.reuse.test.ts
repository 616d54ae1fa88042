import { Socket } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { answer, keptPool, stopReading } from './kept-pool.ts'
import { clientOf, failureOf, request } from './native-exchange.ts'
import { withId } from './scripted-pool.ts'

/* What becomes of a connection between two requests. */

afterEach(() => {
  vi.useRealTimers()
})

describe('a kept connection', () => {
  it('is used again', async () => {
    const pool = await keptPool((socket) => void socket.write(answer()))
    const client = clientOf(pool)
    for (let turn = 1; turn <= 5; turn += 1) await client.request(request())
    expect([pool.connections, pool.received.length]).toEqual([1, 5])
  })

  it.each<[string, Buffer]>([
    ['a byte', Buffer.from([1])],
    ['an answer', answer('of another')],
    ['garbage', Buffer.alloc(100, 0xff)],
  ])(
    'on which %s follows the answer in one piece is closed: the next answer could not be told from it',
    async (_, rest) => {
      const pool = await keptPool((socket) => void socket.write(Buffer.concat([answer(), rest])))
      const client = clientOf(pool)
      for (let turn = 1; turn <= 3; turn += 1) {
        expect((await client.request(request())).body.toString()).toBe('hello')
      }
      expect(pool.connections).toBe(3)
    },
  )

  it.each<[string, Buffer]>([
    ['a byte', Buffer.from([1])],
    ['an answer', answer('of another')],
  ])('on which %s comes unasked is closed', async (_, rest) => {
    const pool = await keptPool(
      (socket) => void socket.write(answer(), () => setTimeout(() => socket.write(rest), 20)),
    )
    const client = clientOf(pool)
    for (let turn = 1; turn <= 3; turn += 1) {
      expect((await client.request(request())).body.toString()).toBe('hello')
      await eventually('it is closed', () => pool.open === 0)
    }
    expect(pool.connections).toBe(3)
  })
})

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

describe('what comes late for an earlier request', () => {
  const late = (id: number) => withId(answer('late'), id)

  it('is dropped before the answer, and the connection is not used again', async () => {
    const pool = await keptPool((socket, turn) => {
      if (turn === 1) socket.write(answer())
      else {
        Socket.prototype.write.call(socket, late(1))
        socket.write(answer('own'))
      }
    })
    const client = clientOf(pool)
    await client.request(request())
    expect((await client.request(request())).body.toString()).toBe('own')
    await client.request(request())
    expect(pool.connections).toBe(2)
  })

  it('is no answer to a request that was not read', async () => {
    const pool = await keptPool((socket) => {
      stopReading(socket)
      socket.write(answer(), () => setTimeout(() => socket.write(late(1)), 50))
      // Not together: where bytes and the end come at once, Node.js tells the end of the file and nothing of the reset.
      setTimeout(() => socket.destroy(), 200)
    })
    const client = clientOf(pool)
    await client.request(request())
    const error = await failureOf(client.request(request()))
    expect([error.code, error.phase]).toEqual(['NOT_READ', 'unread'])
  })
})

describe('a kept connection is let go', () => {
  it('after 200 requests', async () => {
    const pool = await keptPool((socket) => void socket.write(answer()))
    const client = clientOf(pool)
    for (let turn = 1; turn <= 401; turn += 1) await client.request(request())
    expect(pool.connections).toBeGreaterThanOrEqual(3)
    expect(pool.connections).toBeLessThan(10)
  })

  it('after a second, used or not, and soon after that', async () => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] })
    const pool = await keptPool((socket) => void socket.write(answer()))
    const client = clientOf(pool)
    await client.request(request())
    // Another, a moment later: each has a second of its own.
    vi.advanceTimersByTime(300)
    await Promise.all([client.request(request()), client.request(request())])
    vi.advanceTimersByTime(650)
    await client.request(request())
    expect([pool.connections, pool.open]).toEqual([2, 2])
    vi.advanceTimersByTime(100)
    await eventually('the older one is closed', () => pool.open === 1)
    vi.advanceTimersByTime(300)
    await eventually('both are closed', () => pool.open === 0)
  })

  it('when the client closes, at once; a request under way is answered, and then its connection goes too', async () => {
    let finish: () => void = () => {}
    const pool = await keptPool((socket, _, connection) => {
      if (connection === 1) socket.write(answer())
      else finish = () => void socket.write(answer())
    })
    const client = clientOf(pool)
    const [first, second] = [client.request(request()), client.request(request())]
    await Promise.race([first, second])
    await eventually('the other is there', () => pool.received.length === 2)
    client.close()
    client.close()
    await eventually('the idle one is closed', () => pool.open === 1)
    finish()
    expect((await first).status + (await second).status).toBe(400)
    await eventually('both are closed', () => pool.open === 0)
    expect(pool.received.length).toBe(2)
  })
})
