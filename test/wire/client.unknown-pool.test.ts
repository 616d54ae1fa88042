import { describe, expect, it } from 'vitest'
import { rawPool, STATUS_PATH } from './kept-pool.ts'
import { clientOf, failureOf, request } from './native-exchange.ts'
import { listen } from './scripted-pool.ts'

/* A pool that dies before it has answered anybody: what it was executing when it did may have run. */

describe('a pool that has never answered, and dies while it executes', () => {
  it('is no pool that never was one: it is gone', async () => {
    const pool = await listen((socket, received) => {
      socket.on('data', (chunk: Buffer) => {
        received.take(chunk)
        if (received.params.get('REQUEST_METHOD') === 'POST' && received.whole) void pool.close()
      })
    })
    const error = await failureOf(clientOf(pool).request(request()))
    expect([error.code, error.phase]).toEqual(['CONNECTION_LOST', 'receive'])
  })

  it('is none while its last children die, either', async () => {
    let questions = 0
    const pool = await rawPool((socket, received) => {
      socket.on('data', (chunk: Buffer) => {
        received.take(chunk)
        if (!received.whole) return
        const isQuestion = received.params.get('SCRIPT_NAME') === STATUS_PATH
        if (isQuestion) questions += 1
        // The third question finds a pool whose children are all busy.
        if (!isQuestion || questions < 3) socket.destroy()
      })
    })
    const error = await failureOf(clientOf(pool).request(request()))
    expect([error.code, error.phase, questions]).toEqual(['CONNECTION_LOST', 'receive', 3])
  })
})
