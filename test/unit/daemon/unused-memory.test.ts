import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { giveBackUnusedMemory } from '../../../src/daemon/unused-memory.ts'

const MEBIBYTE = 1024 * 1024

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const mebibytes = () => process.memoryUsage().arrayBuffers / MEBIBYTE

/** Nothing but this refers to them: a variable of a test might do so for longer than it seems. */
const bodies: Buffer[] = []

it('gives back the memory of buffers that nobody refers to, and of no others', async () => {
  const before = mebibytes()
  giveBackUnusedMemory()
  for (let n = 0; n < 4; n += 1) bodies.push(Buffer.alloc(40 * MEBIBYTE))
  await vi.advanceTimersByTimeAsync(70_000)
  expect(mebibytes() - before).toBeGreaterThan(150)
  bodies.length = 0
  await vi.advanceTimersByTimeAsync(70_000)
  expect(mebibytes() - before).toBeLessThan(110)
})
