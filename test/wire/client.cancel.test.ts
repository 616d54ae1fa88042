import { describe, expect, it } from 'vitest'
import { answer, keptPool } from './kept-pool.ts'
import { clientOf, failureOf, request } from './native-exchange.ts'

describe('a request that is cancelled before it begins', () => {
  it('is not sent, though a connection is at hand', async () => {
    const pool = await keptPool((socket) => void socket.write(answer()))
    const client = clientOf(pool)
    await client.request(request())
    const error = await failureOf(client.request(request({ signal: AbortSignal.abort() })))
    expect([error.code, error.phase]).toEqual(['CANCELLED', 'connect'])
    await client.request(request())
    expect([pool.connections, pool.received.length]).toEqual([1, 2])
  })

  it('opens no connection', async () => {
    const pool = await keptPool((socket) => void socket.write(answer()))
    const client = clientOf(pool)
    const error = await failureOf(client.request(request({ signal: AbortSignal.abort() })))
    expect([error.code, error.phase, pool.connections]).toEqual(['CANCELLED', 'connect', 0])
  })
})
