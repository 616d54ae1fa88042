import { describe, expect, it } from 'vitest'
import { figuresOf, missed, mostFailuresPerSecond } from '../../chaos/figures.ts'
import type { Published } from '../../chaos/flow.ts'
import type { InjectedFault } from '../../chaos/injected-fault.ts'
import type { JournalLine } from '../../chaos/journal.ts'
import type { Reconciliation } from '../../chaos/reconcile.ts'
import { describe as describeReport } from '../../chaos/report.ts'
import { rowsOf } from '../../chaos/verdict.ts'

const ALL_WELL: Reconciliation = {
  published: 9,
  executed: 9,
  deadLettered: 0,
  queued: 0,
  lost: [],
  twice: [],
  burnt: [],
  givenUp: [],
  unknown: [],
}
const MEASURED = { drains: [20, 30], descriptors: [0, 2], failingPerSecond: 1, givenUp: 0 }

const killed = (number: number, recovered: number | undefined): InjectedFault => {
  return { number, kind: 'broker killed', began: 1_000, lifted: 5_000, recovered, slots: [0, 1, 2] }
}

const rows = (...recovered: (number | undefined)[]) =>
  rowsOf(
    'completed',
    recovered.map((time, index) => killed(index + 1, time)),
    ALL_WELL,
  )

describe('the figures', () => {
  it('take the slowest recovery, from when the fault was lifted', () => {
    const [first] = figuresOf(rows(6_000, 9_500, 5_500), MEASURED)
    expect(first).toMatchObject({ what: 'consuming again after the broker accepts', value: 4.5, atMost: 5 })
  })

  it('take a recovery before the lifting was noticed as none at all', () => {
    expect(figuresOf(rows(4_900), MEASURED)[0]).toMatchObject({ value: 0 })
  })

  it('miss their limit when it takes longer, or never comes', () => {
    expect(missed(figuresOf(rows(9_900), MEASURED))).toEqual([])
    expect(missed(figuresOf(rows(10_100), MEASURED))).toHaveLength(1)
    expect(missed(figuresOf(rows(6_000, undefined), MEASURED))).toHaveLength(1)
  })

  it('count what was killed when it had been read and not begun, for each such fault', () => {
    const fault = killed(1, 6_000)
    const faults: InjectedFault[] = [
      { ...fault, kind: 'pool killed' },
      { ...fault, kind: 'pool killed', number: 2 },
    ]
    const loss = { id: 'M-1', fault: faults[0], begun: false, logged: true, asked: false }
    const found = { ...ALL_WELL, lost: [loss, loss], burnt: [{ id: 'M-2', attempts: 1, fault: faults[1] }] }
    const figures = figuresOf(rowsOf('dispatched', faults, found), MEASURED)
    expect(missed(figures)).toMatchObject([
      { what: 'killed when read, and not begun', value: 1.5, atMost: 1 },
    ])
  })

  it.each([
    ['drains', { drains: [20, 2_100] }],
    ['descriptors', { descriptors: [3] }],
    ['failingPerSecond', { failingPerSecond: 2 }],
    ['givenUp', { givenUp: 1 }],
  ])('have a limit for %s', (_, worse) => {
    expect(missed(figuresOf([], MEASURED))).toEqual([])
    expect(missed(figuresOf([], { ...MEASURED, ...worse }))).toHaveLength(1)
  })
})

describe('failures per second', () => {
  const published = new Map<string, Published>([
    ['M-1', { asked: { failures: 3 }, time: 0, confirmed: true }],
  ])
  const failed = (...times: number[]) =>
    times.map((time, index): JournalLine => {
      const who = { executionId: `e-${time}`, daemonId: 'D-1-1', pid: 1, attempt: index + 1 }
      return { event: 'failed', id: 'M-1', time, ...who }
    })

  it.each([
    { times: [], most: 0 },
    { times: [0, 1_010, 3_020], most: 1 },
    { times: [0, 1_010, 1_020, 2_000], most: 3 },
  ])('are $most at $times ms', ({ times, most }) => {
    expect(mostFailuresPerSecond(failed(...times), published)).toBe(most)
  })

  it('do not count an attempt again that a fault has doubled', () => {
    const doubled = [...failed(0, 1_010), ...failed(20, 1_030)]
    expect(mostFailuresPerSecond(doubled, published)).toBe(1)
  })
})

describe('the report', () => {
  it('has every fault, every figure and the verdict', () => {
    const report = {
      rows: rows(6_000, undefined),
      figures: figuresOf(rows(6_000, undefined), MEASURED),
      reconciliation: ALL_WELL,
      counts: { executed: 7, retry: 6, refused: 5, lost: 4, 'dead-letter': 3, hold: 2 },
      memory: [{ daemonId: 'D-1-1', samples: [2 ** 26, 2 ** 27] }],
    }
    const text = describeReport({ ...report, broken: [], traces: [] })
    expect(text).toMatch(/^broker killed +2 +0 +0 +0 +36 +0 +0 +0 +1\.00 +never$/m)
    expect(text).toMatch(/^consuming again after the broker accepts +<= 5 s +- +missed$/m)
    expect(text).toMatch(/^D-1-1 +64\.0 +128 +128$/m)
    expect(text).toMatch(/: 7 executed, 6 retry, 5 refused, 4 lost, 3 dead-letter, 2 hold$/m)
    expect(text).toMatch(/Every promise was kept\.$/)
    const told = describeReport({ ...report, broken: ['lost: M-1'], traces: ['{"id":"M-1"}'] })
    expect(told).toMatch(/BROKEN PROMISE: lost: M-1\n{"id":"M-1"}$/)
  })
})
