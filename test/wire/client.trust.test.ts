import { describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { answer, keptPool } from './kept-pool.ts'
import { clientOf, request } from './native-exchange.ts'

/* Whether connections are kept at all: not where scripts go on after their answers. */

/** Its children close when they find the end of our side: at once, or when they are done. */
const pool = (worksOn: () => boolean = () => false) =>
  keptPool((socket) => {
    socket.write(answer())
    socket.allowHalfOpen = worksOn()
    socket.once('end', () => setTimeout(() => socket.destroy(), 1_000))
  })

describe('connections', () => {
  it('are kept when so many requests have ended with their answers', async () => {
    const fpm = await pool()
    const client = clientOf(fpm, { probation: 5 })
    for (let turn = 1; turn <= 25; turn += 1) {
      await client.request(request())
      await eventually('the pool is done', () => turn > 5 || fpm.open === 0)
    }
    expect(fpm.connections).toBe(6)
  })

  it('are not kept while scripts go on after their answers: nobody waits behind them', async () => {
    const fpm = await pool(() => true)
    const client = clientOf(fpm, { probation: 2 })
    for (let turn = 1; turn <= 10; turn += 1) await client.request(request())
    expect(fpm.connections).toBe(10)
    await eventually('each is let go all the same', () => fpm.open === 0)
  })

  it('are not kept any more when one script has gone on, and for long after that', async () => {
    let goesOn = false
    const fpm = await pool(() => goesOn)
    const client = clientOf(fpm, { probation: 0 })
    for (let turn = 1; turn < 200; turn += 1) await client.request(request())
    // After its last request it is seen, too, whether the child is done.
    goesOn = true
    await client.request(request())
    await eventually('it is let go', () => fpm.open === 0)
    goesOn = false
    const before = fpm.connections
    for (let turn = 1; turn <= 30; turn += 1) await client.request(request())
    expect(fpm.connections).toBe(before + 30)
  })

  it.each<[string, Buffer]>([
    ['for its answer', answer('late')],
    ['that are none', Buffer.from([1])],
  ])('are not kept where a child sends more records %s', async (_, late) => {
    const fpm = await keptPool((socket) => {
      socket.write(answer())
      socket.allowHalfOpen = true
      socket.once('end', () => socket.end(late))
    })
    const client = clientOf(fpm, { probation: 2 })
    for (let turn = 1; turn <= 10; turn += 1) {
      await client.request(request())
      await eventually('it is let go', () => fpm.open === 0)
    }
    expect(fpm.connections).toBe(10)
  })

  it('are closed at once when the client closes', async () => {
    const fpm = await pool(() => true)
    const client = clientOf(fpm, { probation: 100 })
    await client.request(request())
    const [socket] = fpm.sockets
    client.close()
    const error = await new Promise((resolve) => socket?.write('x', resolve))
    expect(error).toMatchObject({ code: 'EPIPE' })
  })
})
