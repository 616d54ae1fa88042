import { describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { answer, keptPool } from './kept-pool.ts'
import { clientOf, request } from './native-exchange.ts'
import type { ReceivedRequest } from './scripted-pool.ts'

/* Whether connections are kept at all: not where scripts go on after their answers. */

/** php-fpm closes when it is done, unless it is to keep the connection. */
const pool = (worksOn: (request: ReceivedRequest) => boolean = () => false) =>
  keptPool((socket, _turn, _connection, received) => {
    if (worksOn(received)) socket.write(answer())
    else if (received.keepConn) socket.write(answer())
    else socket.end(answer())
  })

describe('connections', () => {
  it('are kept when so many requests have ended with their answers', async () => {
    const fpm = await pool()
    const client = clientOf(fpm, { probation: 5 })
    for (let turn = 1; turn <= 25; turn += 1) {
      await client.request(request())
      await eventually('the pool is done', () => turn > 5 || fpm.open === 0)
    }
    expect(fpm.received.map(({ keepConn }) => keepConn)).toEqual([
      ...Array(5).fill(false),
      ...Array(20).fill(true),
    ])
    expect(fpm.connections).toBe(6)
  })

  it('are not kept while scripts go on after their answers: nobody waits behind them', async () => {
    const fpm = await pool(() => true)
    const client = clientOf(fpm, { probation: 2 })
    for (let turn = 1; turn <= 10; turn += 1) await client.request(request())
    expect(fpm.received.filter(({ keepConn }) => keepConn)).toEqual([])
    expect(fpm.connections).toBe(10)
    await eventually('each is let go all the same', () => fpm.open === 0)
  })

  it('are not kept any more when one script has gone on, and for long after that', async () => {
    let last = false
    const fpm = await pool(({ keepConn }) => last && !keepConn)
    const client = clientOf(fpm, { probation: 0 })
    // The last request of a connection goes without FCGI_KEEP_CONN.
    last = true
    for (let turn = 1; turn <= 200; turn += 1) await client.request(request())
    expect(fpm.received.at(-1)?.keepConn).toBe(false)
    await eventually('it is let go', () => fpm.open === 0)
    last = false
    for (let turn = 1; turn <= 30; turn += 1) await client.request(request())
    expect(fpm.received.slice(-30).filter(({ keepConn }) => keepConn)).toEqual([])
  })

  it('are closed at once when the client closes', async () => {
    const fpm = await pool(() => true)
    const client = clientOf(fpm, { probation: 100 })
    await client.request(request())
    expect(fpm.open).toBe(1)
    client.close()
    await eventually('it is closed', () => fpm.open === 0)
  })
})
