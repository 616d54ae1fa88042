import { describe, expect, it } from 'vitest'
import { answer, rawPool } from './kept-pool.ts'
import { clientOf, failureOf, request } from './native-exchange.ts'

/* Pools that hang up. */

describe('a pool that hangs up', () => {
  const body = Buffer.alloc(8 * 1024 * 1024)

  it.each(['unix', 'tcp'] as const)('during the upload (%s): not handed over whole', async (kind) => {
    let sent = 0
    let away = false
    const pool = await rawPool((socket, received) => {
      if (away) socket.once('data', () => socket.destroy())
      else {
        socket.on('data', (chunk: Buffer) => {
          received.take(chunk)
          if (received.whole) socket.end(answer())
        })
      }
    }, kind)
    const client = clientOf(pool)
    await client.request(request())
    away = true
    const error = await failureOf(client.request(request({ body, onSent: () => (sent += 1) })))
    expect([error.code, error.phase, sent]).toEqual(['SEND_FAILED', 'send', 0])
    expect(['EPIPE', 'ECONNRESET', 'EOF']).toContain(error.systemCode)
  })

  it.each(['unix', 'tcp'] as const)(
    'as soon as it has accepted, each time (%s): nobody speaks FastCGI there',
    async (kind) => {
      const pool = await rawPool((socket) => void socket.destroy(), kind)
      const client = clientOf(pool)
      for (let turn = 0; turn < 5; turn += 1) {
        const error = await failureOf(client.request(request()))
        expect([error.code, error.phase]).toEqual(['NO_FASTCGI', 'connect'])
        expect(error.message).toContain('listen.allowed_clients')
      }
      expect((await failureOf(client.probe())).code).toBe('NO_FASTCGI')
    },
  )
})
