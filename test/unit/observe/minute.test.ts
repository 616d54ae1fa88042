import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { BridgeEvent } from '../../../src/bridge/events.ts'
import { Counters } from '../../../src/observe/counters.ts'
import { Minute } from '../../../src/observe/minute.ts'
import { deadLettered, EXECUTED, EXECUTION } from '../../support/views.ts'
import { recordingLog } from './recording-log.ts'

const NOTHING = { executed: 0, retry: 0, refused: 0, lost: 0, 'dead-letter': 0, hold: 0 }

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** A minute, and what its bridge has at the moment. */
function minuteOf(now = { inFlight: 0, waiting: 0 }) {
  const log = recordingLog()
  const counters = new Counters()
  const minute = new Minute(log, () => ({ counts: counters.counts, ...now }))
  const hear = (event: BridgeEvent): void => {
    counters.count(event)
    minute.hear(event)
  }
  /** The fields of the lines of so many minutes. */
  const pass = (minutes = 1) => {
    const said = log.lines.length
    vi.advanceTimersByTime(minutes * 60_000)
    return log.lines.slice(said).map(({ fields }) => fields)
  }
  return { log, minute, hear, pass, now }
}

/** Success, after so many milliseconds. */
const lasting = (durationMs: number): BridgeEvent => ({
  kind: 'settled',
  by: 'ack',
  execution: { ...EXECUTION, durationMs },
  outcome: { kind: 'executed', status: 200 },
})
const noAnswer: BridgeEvent = {
  kind: 'lost',
  why: 'no-answer',
  execution: { ...EXECUTION, durationMs: 60 },
  diagnosis: { reason: 'timed out' },
}

it('knows how long executions take: in this minute, or in the one before', () => {
  const { minute, hear, pass } = minuteOf()
  expect(minute.times).toBeUndefined()
  hear(lasting(10))
  expect(minute.times).toMatchObject({ count: 1, max: 10 })
  pass()
  expect(minute.times).toMatchObject({ count: 1, max: 10 })
  hear(lasting(30))
  expect(minute.times).toMatchObject({ count: 1, max: 30 })
  pass(2)
  expect(minute.times).toBeUndefined()
})

describe('the line of a minute', () => {
  it('says what became of messages, how long it took, and how it is now', () => {
    const { log, hear, pass } = minuteOf({ inFlight: 3, waiting: 2 })
    for (let executed = 0; executed < 95; executed += 1) hear(lasting(10))
    for (let executed = 0; executed < 6; executed += 1) hear(lasting(1_000))
    hear(deadLettered('rejected'))
    const [fields] = pass()
    expect(log.lines).toMatchObject([{ level: 'info', message: 'The last minute.' }])
    expect(fields).toMatchObject({
      messages: { ...NOTHING, executed: 101, 'dead-letter': 1 },
      in_flight: 3,
      waiting: 2,
    })
    expect(fields?.['p50_ms']).toBeCloseTo(10, 0)
    expect(Number(fields?.['p95_ms']) / 1_000).toBeCloseTo(1, 1)
  })

  it('begins anew each minute', () => {
    const { hear, pass } = minuteOf()
    hear(lasting(1_000))
    expect(pass()).toMatchObject([{ messages: { executed: 1 } }])
    hear(lasting(10))
    hear(noAnswer)
    const [second] = pass()
    expect(second).toMatchObject({ messages: { ...NOTHING, executed: 1, lost: 1 } })
    expect(second?.['p95_ms']).toBeCloseTo(60, 0)
  })

  it('is not written where nothing happened', () => {
    const { hear, pass } = minuteOf()
    expect(pass(5)).toEqual([])
    hear(EXECUTED)
    expect(pass(5)).toHaveLength(1)
  })

  it('is written while something is executed, if nothing ends', () => {
    const { pass, now } = minuteOf({ inFlight: 1, waiting: 0 })
    expect(pass(2)).toEqual(Array(2).fill({ messages: NOTHING, in_flight: 1, waiting: 0 }))
    now.inFlight = 0
    expect(pass()).toEqual([])
  })

  it('has no durations of what was not executed', () => {
    const { hear, pass } = minuteOf()
    hear(deadLettered('unprocessable'))
    const [fields] = pass()
    expect(fields).toEqual({ messages: { ...NOTHING, 'dead-letter': 1 }, in_flight: 0, waiting: 0 })
  })

  it('is the last one when the bridge ends', () => {
    const { minute, hear, pass } = minuteOf()
    hear(EXECUTED)
    minute.end()
    minute.end()
    expect(pass()).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })
})

it('keeps no process running', () => {
  vi.useRealTimers()
  const before = process.getActiveResourcesInfo().length
  const { minute } = minuteOf()
  expect(process.getActiveResourcesInfo()).toHaveLength(before)
  minute.end()
})
