import { describe, expect, it } from 'vitest'
import { Window } from '../../../src/cli/window.ts'

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
    const window = new Window({ messages: 2, bytes: 1_000 })
    window.enter(1)
    expect(await isDone(window.room())).toBe(true)
    window.enter(1)
    const room = window.room()
    expect(await isDone(room)).toBe(false)
    window.leave(1)
    expect(await isDone(room)).toBe(true)
  })

  it('has room until its bytes are used up', async () => {
    const window = new Window({ messages: 100, bytes: 1_000 })
    window.enter(999)
    expect(await isDone(window.room())).toBe(true)
    window.enter(1)
    const room = window.room()
    expect(await isDone(room)).toBe(false)
    window.leave(1)
    expect(await isDone(room)).toBe(true)
  })

  it('lets in one message that is larger than itself', async () => {
    const window = new Window({ messages: 100, bytes: 1_000 })
    expect(await isDone(window.room())).toBe(true)
    window.enter(1_000_000)
    const room = window.room()
    expect(await isDone(room)).toBe(false)
    window.leave(1_000_000)
    expect(await isDone(room)).toBe(true)
  })

  it('counts empty messages as messages', async () => {
    const window = new Window({ messages: 1, bytes: 1_000 })
    window.enter(0)
    expect(await isDone(window.room())).toBe(false)
  })

  it('wakes nobody before there is room', async () => {
    const window = new Window({ messages: 1, bytes: 1_000 })
    window.enter(1)
    window.enter(1)
    const room = window.room()
    window.leave(1)
    expect(await isDone(room)).toBe(false)
    window.leave(1)
    expect(await isDone(room)).toBe(true)
  })

  it('is empty when all have left, and at first', async () => {
    const window = new Window({ messages: 10, bytes: 1_000 })
    expect(await isDone(window.empty())).toBe(true)
    window.enter(5)
    window.enter(5)
    const empty = window.empty()
    window.leave(5)
    expect(await isDone(empty)).toBe(false)
    window.leave(5)
    expect(await isDone(empty)).toBe(true)
  })
})
