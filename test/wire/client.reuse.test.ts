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
