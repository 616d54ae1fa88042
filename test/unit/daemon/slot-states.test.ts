import { describe, expect, it } from 'vitest'
import { ReliefPace } from '../../../src/daemon/relief-pace.ts'
import {
  restAfter,
  type SlotEvent,
  type SlotState,
  type Step,
  step,
} from '../../../src/daemon/slot-states.ts'

const FRESH = 9
const LONG = 10_000
const SHORT = 1_000

const resting: SlotState = { kind: 'resting', failures: 3 }
const starting: SlotState = { kind: 'starting', child: 1, failures: 0 }
const working: SlotState = { kind: 'working', child: 1, since: 0, failures: 1 }
const waiting: SlotState = { kind: 'relieving', child: 1, since: 0, successor: undefined, failures: 0 }
const relieving: SlotState = { kind: 'relieving', child: 1, since: 0, successor: 2, failures: 0 }
const closed: SlotState = { kind: 'closed' }

const rested: SlotEvent = { kind: 'rested' }
const at = (kind: 'consumes' | 'tired' | 'ended', child: number): SlotEvent => ({ kind, child })
const startingFresh = (failures: number): Step => ({
  state: { kind: 'starting', child: FRESH, failures },
  start: FRESH,
})

it.each<[string, SlotState, SlotEvent, number, Step | undefined]>([
  ['starts after a rest', resting, rested, 0, startingFresh(3)],
  [
    'works when it consumes',
    starting,
    at('consumes', 1),
    5,
    { state: { kind: 'working', child: 1, since: 5, failures: 0 } },
  ],
  ['starts again at once when a first one fails', starting, at('ended', 1), 0, startingFresh(1)],
  ['replaces at once one that has worked', working, at('ended', 1), LONG, startingFresh(0)],
  [
    'waits for its turn to relieve one',
    working,
    at('tired', 1),
    LONG,
    { state: { ...waiting, failures: 0 }, rest: 'turn' },
  ],
  ['starts a successor', waiting, rested, LONG, { state: { ...waiting, successor: FRESH }, start: FRESH }],
  [
    'retires the former one when the successor consumes',
    relieving,
    at('consumes', 2),
    7,
    { state: { kind: 'working', child: 2, since: 7, failures: 0 }, retire: 1 },
  ],
  [
    'keeps the former one when the successor fails',
    relieving,
    at('ended', 2),
    LONG,
    { state: { ...waiting, failures: 1 }, rest: 1_000 },
  ],
  [
    'has the successor when the former one fails',
    relieving,
    at('ended', 1),
    LONG,
    { state: { kind: 'starting', child: 2, failures: 0 } },
  ],
  [
    'starts one at once when the one that waits to be relieved fails',
    waiting,
    at('ended', 1),
    LONG,
    startingFresh(0),
  ],
  ['is not moved by the end of one that has retired', working, at('ended', 7), LONG, undefined],
  ['is not moved by the end of a stranger while it relieves', relieving, at('ended', 7), LONG, undefined],
  ['has nobody relieved twice', relieving, at('tired', 1), LONG, undefined],
  ['replaces nothing once it is closed', closed, at('ended', 1), LONG, undefined],
  ['starts nothing once it is closed', closed, rested, LONG, undefined],
])('a slot %s', (_, state, event, now, expected) => {
  expect(step(state, event, { now, fresh: FRESH })).toEqual(expected)
})

it('rests when processes end soon, one after the other', () => {
  const next = step(working, at('ended', 1), { now: SHORT, fresh: FRESH })
  expect(next).toMatchObject({ state: { kind: 'resting', failures: 2 } })
  expect(next?.rest).toBeGreaterThanOrEqual(1_000)
})

describe('a rest', () => {
  const rests = (failures: number) => Array.from({ length: 200 }, () => restAfter(failures))

  it('is none after the first failure, and then from 1 to 30 s, longer and longer', () => {
    expect(rests(1)).toEqual(rests(1).fill(0))
    const averages = [2, 3, 4, 5, 6].map((failures) => {
      const all = rests(failures)
      expect(Math.min(...all)).toBeGreaterThanOrEqual(1_000)
      expect(Math.max(...all)).toBeLessThanOrEqual(30_000)
      return all.reduce((sum, each) => sum + each, 0) / all.length
    })
    expect(averages).toEqual(averages.toSorted((one, two) => one - two))
    expect(Math.min(...rests(60))).toBeGreaterThanOrEqual(15_000)
  })

  it('is not the same twice', () => {
    expect(new Set(rests(4)).size).toBeGreaterThan(100)
  })
})

it('relieves one after the other, ten times as far apart as a start takes', () => {
  const pace = new ReliefPace()
  pace.started(400)
  expect(pace.take(100)).toBe(0)
  expect(pace.take(100)).toBe(4_000)
  expect(pace.take(5_100)).toBe(3_000)
  expect(pace.take(50_000)).toBe(0)
  // Without a broker a start takes as long as that is away.
  pace.started(3_600_000)
  expect(pace.take(100_000)).toBe(0)
  expect(pace.take(100_000)).toBe(10_000)
})
