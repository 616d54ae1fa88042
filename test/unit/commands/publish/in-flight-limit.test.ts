import { describe, expect, it } from 'vitest'
import { InFlightLimit } from '../../../../src/commands/publish/in-flight-limit.ts'

/** Whether a promise is settled once everything that could happen has happened. */
async function isDone(promise: Promise<void>): Promise<boolean> {
  let done = false
  void promise.then(() => {
    done = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  return done
}

describe('a window', () => {
  it('has room until its messages are used up', async () => {
    const limit = new InFlightLimit({ messages: 2, bytes: 1_000 })
    limit.enter(1)
    expect(await isDone(limit.room())).toBe(true)
    limit.enter(1)
    const room = limit.room()
    expect(await isDone(room)).toBe(false)
    limit.leave(1)
    expect(await isDone(room)).toBe(true)
  })

  it('has room until its bytes are used up', async () => {
    const limit = new InFlightLimit({ messages: 100, bytes: 1_000 })
    limit.enter(999)
    expect(await isDone(limit.room())).toBe(true)
    limit.enter(1)
    const room = limit.room()
    expect(await isDone(room)).toBe(false)
    limit.leave(1)
    expect(await isDone(room)).toBe(true)
  })

  it('lets in one message that is larger than itself', async () => {
    const limit = new InFlightLimit({ messages: 100, bytes: 1_000 })
    expect(await isDone(limit.room())).toBe(true)
    limit.enter(1_000_000)
    const room = limit.room()
    expect(await isDone(room)).toBe(false)
    limit.leave(1_000_000)
    expect(await isDone(room)).toBe(true)
  })

  it('counts empty messages as messages', async () => {
    const limit = new InFlightLimit({ messages: 1, bytes: 1_000 })
    limit.enter(0)
    expect(await isDone(limit.room())).toBe(false)
  })

  it('wakes nobody before there is room', async () => {
    const limit = new InFlightLimit({ messages: 1, bytes: 1_000 })
    limit.enter(1)
    limit.enter(1)
    const room = limit.room()
    limit.leave(1)
    expect(await isDone(room)).toBe(false)
    limit.leave(1)
    expect(await isDone(room)).toBe(true)
  })

  it('is empty when all have left, and at first', async () => {
    const limit = new InFlightLimit({ messages: 10, bytes: 1_000 })
    expect(await isDone(limit.empty())).toBe(true)
    limit.enter(5)
    limit.enter(5)
    const empty = limit.empty()
    limit.leave(5)
    expect(await isDone(empty)).toBe(false)
    limit.leave(5)
    expect(await isDone(empty)).toBe(true)
  })
})
