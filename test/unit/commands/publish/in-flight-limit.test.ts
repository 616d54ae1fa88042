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
  it.each<[string, { messages: number; bytes: number }, readonly number[]]>([
    ['its messages are used up', { messages: 2, bytes: 1_000 }, [1, 1]],
    ['its bytes are used up', { messages: 100, bytes: 1_000 }, [999, 1]],
    ['one message is larger than itself', { messages: 100, bytes: 1_000 }, [1_000_000]],
  ])('has room until %s', async (_, limits, sizes) => {
    const limit = new InFlightLimit(limits)
    for (const bytes of sizes) {
      expect(await isDone(limit.room())).toBe(true)
      limit.enter(bytes)
    }
    const room = limit.room()
    expect(await isDone(room)).toBe(false)
    limit.leave(sizes.at(-1) ?? 0)
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
