import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { answer } from '../../support/answers.ts'
import { dispatcherOf } from './waiting-pool.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Lets everything happen that waits for no timer. */
const settle = () => vi.advanceTimersByTimeAsync(0)

describe('the bytes in flight', () => {
  it('keep further messages waiting, although there are slots, until one has ended', async () => {
    const { pool, dispatcher, deliver } = dispatcherOf({
      payload: 'raw',
      concurrency: 10,
      maxBytesInFlight: 20,
    })
    for (let n = 0; n < 4; n += 1) deliver('ten bytes.')
    await settle()
    expect(pool.requests).toHaveLength(2)
    pool.requests[0]?.complete(answer(200))
    await settle()
    expect(pool.requests).toHaveLength(3)
    expect(dispatcher.inFlight).toBe(2)
  })

  it('count JSON four times where it becomes a form', async () => {
    const { pool, deliver } = dispatcherOf({ concurrency: 10, maxBytesInFlight: 40 })
    for (let n = 0; n < 4; n += 1) deliver('{"n":[12]}')
    await settle()
    expect(pool.requests).toHaveLength(1)
  })

  it('let one message through, whatever its size', async () => {
    const { pool, deliver } = dispatcherOf({ concurrency: 10, maxBytesInFlight: 1 })
    for (let n = 0; n < 3; n += 1) deliver()
    for (let n = 1; n <= 3; n += 1) {
      await settle()
      expect(pool.requests).toHaveLength(n)
      pool.requests.at(-1)?.complete(answer(200))
    }
  })
})
