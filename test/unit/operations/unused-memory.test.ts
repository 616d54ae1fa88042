import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { giveBackUnusedMemory } from '../../../src/operations/unused-memory.ts'

const MEBIBYTE = 1024 * 1024

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const mebibytes = () => process.memoryUsage().arrayBuffers / MEBIBYTE

it('gives back the memory of buffers that nobody refers to, and of no others', async () => {
  const before = mebibytes()
  giveBackUnusedMemory()
  let bodies: Buffer[] = Array.from({ length: 4 }, () => Buffer.alloc(40 * MEBIBYTE))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(mebibytes() - before).toBeGreaterThan(150)
  bodies = bodies.slice(2)
  await vi.advanceTimersByTimeAsync(70_000)
  expect(mebibytes() - before).toBeLessThan(110)
  bodies = []
  await vi.advanceTimersByTimeAsync(70_000)
  expect(mebibytes() - before).toBeLessThan(60)
})
