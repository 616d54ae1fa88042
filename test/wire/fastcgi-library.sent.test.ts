import { afterEach, describe, expect, it } from 'vitest'
import { COMPLETE, closePools, exchange } from './library-exchange.ts'
import { answering, wholeRequest } from './scripted-pool.ts'

/* An ack depends on it: `onSent` says that the whole request is in the pool's socket, and nothing else says so. */

afterEach(closePools)

describe('sent', () => {
  it('is said once, and only when the pool has the whole request', async () => {
    const events: string[] = []
    let release: () => void = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const body = Buffer.alloc(8 * 1024 * 1024, 'x')
    const pending = exchange(
      async (socket, request) => {
        // Nothing is read, so the client's kernel buffer fills up.
        await released
        events.push('reading')
        await wholeRequest(socket, request)
        socket.end(COMPLETE)
      },
      { body, onSent: () => events.push('sent') },
    )
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(events).toEqual([])
    release()
    const { pool } = await pending
    expect(events).toEqual(['reading', 'sent'])
    expect(pool.requests[0]?.stdin.length).toBe(body.length)
  })

  it.each([0, 3, 70_000])('is said once for %d bytes', async (length) => {
    let sent = 0
    await exchange(answering(COMPLETE), { body: Buffer.alloc(length), onSent: () => (sent += 1) })
    expect(sent).toBe(1)
  })

  it('is not said when the pool hangs up during the upload', async () => {
    let sent = 0
    const broken = exchange((socket) => void socket.once('data', () => socket.destroy()), {
      body: Buffer.alloc(8 * 1024 * 1024),
      onSent: () => (sent += 1),
    })
    await expect(broken).rejects.toMatchObject({ code: 'SEND_FAILED', phase: 'send' })
    expect(sent).toBe(0)
  })
})
