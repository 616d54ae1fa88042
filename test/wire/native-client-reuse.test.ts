import { describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { answer, keptPool } from './kept-pool.ts'
import { clientOf, request } from './native-exchange.ts'

/* What becomes of a connection between two requests. */

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
