import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { BridgeEvent } from '../../../src/bridge/events.ts'
import { Recycling, type RecyclingReason } from '../../../src/daemon/recycling.ts'

const execution = {
  deliveryTag: 1,
  executionId: 'e-1',
  messageId: undefined,
  correlationId: undefined,
  type: undefined,
  attempt: 1,
  durationMs: 1,
}
const outcome = { kind: 'executed', status: 200 } as const
const settled: BridgeEvent = { kind: 'settled', by: 'ack', execution, outcome }
const others: readonly BridgeEvent[] = [
  { kind: 'held', execution, reason: 'a reason', probing: false },
  { kind: 'started', execution, timestamp: undefined },
]

/** After how many messages it is due; told once, whatever comes after. */
function dueAfter(maxMessages: number, random?: () => number): number {
  const told: RecyclingReason[] = []
  const recycling = new Recycling(
    { maxMessages, maxMemory: undefined },
    (reason) => told.push(reason),
    random,
  )
  let messages = 0
  for (let n = 1; n <= 2 * (maxMessages + 50); n += 1) {
    recycling.take(settled)
    for (const event of others) recycling.take(event)
    if (told.length === 0) messages = n
  }
  expect(told).toEqual(['max-messages'])
  return messages + 1
}

describe('messages', () => {
  it('are what was asked for, and from 20 to 50 more', () => {
    expect(dueAfter(100, () => 0)).toBe(120)
    expect(dueAfter(100, () => 0.999)).toBe(150)
    expect(dueAfter(1, () => 0.5)).toBe(36)
  })

  it('differ from process to process', () => {
    const drawn = Array.from({ length: 100 }, () => dueAfter(10))
    expect(new Set(drawn).size).toBeGreaterThan(5)
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(30)
    expect(Math.max(...drawn)).toBeLessThanOrEqual(60)
  })
})

describe('memory', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it.each([
    ['more', 1, ['max-memory']],
    ['less', 2 ** 44, []],
  ] as const)('that is %s than allowed', (_, maxMemory, expected) => {
    const told: RecyclingReason[] = []
    new Recycling({ maxMessages: undefined, maxMemory }, (reason) => told.push(reason))
    vi.advanceTimersByTime(999)
    expect(told).toEqual([])
    vi.advanceTimersByTime(60_000)
    expect(told).toEqual(expected)
  })
})
