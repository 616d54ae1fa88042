import { describe, expect, it } from 'vitest'
import type { FaultKind } from '../../chaos/fault-kinds.ts'
import type { InjectedFault } from '../../chaos/injected-fault.ts'
import type { JournalLine } from '../../chaos/journal.ts'
import type { Asked } from '../../chaos/message-plan.ts'
import { type Evidence, type MessageLine, reconcile } from '../../chaos/reconcile.ts'
import { brokenPromises, rowsOf } from '../../chaos/verdict.ts'

const IDS = Array.from({ length: 20 }, (_, index) => `M-${index + 1}`)

function line(event: JournalLine['event'], id: string, time: number, execution = `e-${id}`): JournalLine {
  return { event, id, executionId: execution, daemonId: 'D-1-1', pid: 1, attempt: 1, time }
}

const execution = (id: string, time: number, name?: string): JournalLine[] => [
  line('start', id, time, name),
  line('done', id, time + 10, name),
]

/** A second apart, from 10 s on. */
const timeOf = (id: string): number => 9_000 + Number(id.slice(2)) * 1_000

const fault = (kind: FaultKind, began: number, recovered = began + 500): InjectedFault => ({
  number: 1,
  kind,
  began,
  lifted: began,
  recovered,
  slots: [0],
})

/** All of them published and executed once, without a fault; then what a test changes. */
function evidence(changes: Partial<Evidence> = {}, asked: Readonly<Record<string, Asked>> = {}): Evidence {
  return {
    mode: 'completed',
    published: new Map(IDS.map((id) => [id, { asked: asked[id] ?? {}, confirmed: true }])),
    journal: IDS.flatMap((id) => execution(id, timeOf(id))),
    log: [],
    deadLettered: new Set(),
    queued: new Set(),
    faults: [],
    ...changes,
  }
}

const without = (id: string): JournalLine[] => evidence().journal.filter((entry) => entry.id !== id)

const complaint = (messageId: string, outcome: string | undefined = 'lost'): MessageLine => ({
  messageId,
  level: 'error',
  outcome,
  time: timeOf(messageId),
})

/** What the whole command would say. */
function broken(given: Evidence, failures: readonly string[] = []): string[] {
  const found = reconcile(given)
  return brokenPromises(rowsOf(given.mode, given.faults, found), found, failures)
}

describe('a run in which all went well', () => {
  it('adds up, and breaks no promise', () => {
    const found = reconcile(evidence())
    expect(found).toMatchObject({ published: 20, executed: 20, deadLettered: 0, queued: 0 })
    expect(found).toMatchObject({ lost: [], twice: [], givenUp: [], unknown: [] })
    expect(broken(evidence())).toEqual([])
  })

  it('counts what was dead-lettered or is still queued', () => {
    const journal = without('M-3').filter(({ id }) => id !== 'M-4')
    const given = evidence({ journal, deadLettered: new Set(['M-3']), queued: new Set(['M-4']) })
    expect(reconcile(given)).toMatchObject({
      published: 20,
      executed: 18,
      deadLettered: 1,
      queued: 1,
      lost: [],
    })
  })

  it('demands nothing of a message that was not confirmed', () => {
    const given = evidence({ journal: without('M-5') })
    const published = new Map(given.published).set('M-5', { asked: {}, confirmed: false })
    expect(reconcile({ ...given, published })).toMatchObject({ published: 19, executed: 19, lost: [] })
  })
})

describe('a lost message', () => {
  it('is found when its lines are missing from the journal', () => {
    const given = evidence({ journal: without('M-7') })
    expect(reconcile(given).lost).toMatchObject([{ id: 'M-7', logged: false }])
    expect(broken(given)).toEqual([
      'lost without a fault: 1: M-7',
      'lost, and no line in a log says so: 1: M-7',
    ])
  })

  it('is found when it started and did not end', () => {
    const journal = evidence().journal.filter(({ id, event }) => id !== 'M-7' || event === 'start')
    expect(reconcile(evidence({ journal })).lost).toMatchObject([{ id: 'M-7' }])
  })

  it('is found when it failed as it was asked to, and was never tried again', () => {
    const journal = [...without('M-7'), line('start', 'M-7', 1), line('failed', 'M-7', 2)]
    const given = evidence({ journal }, { 'M-7': { failures: 1 } })
    expect(reconcile(given).lost).toMatchObject([{ id: 'M-7' }])
    // Acked when it was dispatched, that was its one execution.
    expect(reconcile({ ...given, mode: 'dispatched' }).lost).toEqual([])
  })

  it('breaks the promise of --ack completed, whatever the fault', () => {
    const journal = without('M-7')
    const given = evidence({
      journal,
      log: [complaint('M-7')],
      faults: [fault('pool killed', timeOf('M-7'))],
    })
    expect(broken(given)).toEqual(['lost by "pool killed": 1, at most 0: M-7'])
  })

  it('is what --ack dispatched allows when the pool had it in its hands, and a log says so', () => {
    const faults = [fault('pool killed', timeOf('M-7'))]
    const given = evidence({ mode: 'dispatched', journal: without('M-7'), log: [complaint('M-7')], faults })
    expect(reconcile(given).lost).toEqual([{ id: 'M-7', fault: faults[0], logged: true, asked: false }])
    expect(broken(given)).toEqual([])
  })

  it('is found when no log says so', () => {
    const faults = [fault('pool killed', timeOf('M-7'))]
    const started = [...without('M-7'), line('start', 'M-7', timeOf('M-7'))]
    const given = evidence({ mode: 'dispatched', journal: started, faults })
    expect(broken(given)).toEqual(['lost, and no line in a log says so: 1: M-7'])
  })

  it.each([
    ['lost', true],
    ['refused', true],
    [undefined, false],
    ['executed', false],
    ['retry', false],
  ])('is logged by a line with outcome %s: %s', (outcome, logged) => {
    const log = [{ ...complaint('M-7'), outcome }]
    const given = evidence({ mode: 'dispatched', journal: without('M-7'), log })
    expect(reconcile(given).lost).toMatchObject([{ id: 'M-7', logged }])
  })

  it('is not logged by a line at level info, nor by one about another message', () => {
    const log = [{ ...complaint('M-7'), level: 'info' }, complaint('M-8')]
    const given = evidence({ mode: 'dispatched', journal: without('M-7'), log })
    expect(reconcile(given).lost).toMatchObject([{ id: 'M-7', logged: false }])
  })

  it('breaks the promise when there are more than the pool had in its hands', () => {
    const ids = IDS.slice(0, 13)
    const given = evidence({
      mode: 'dispatched',
      journal: evidence().journal.filter(({ id }) => !ids.includes(id)),
      log: ids.map((id) => complaint(id)),
      faults: [fault('pool killed', timeOf('M-1'), timeOf('M-20'))],
    })
    expect(broken(given)).toEqual([
      expect.stringMatching(/^lost by "pool killed": 13, at most 12: M-1 .* \.\.\.$/),
    ])
  })

  it('is its own wish when it asked the worker to die, but it must be logged', () => {
    const given = evidence({ mode: 'dispatched', journal: without('M-7') }, { 'M-7': { deaths: 1 } })
    expect(broken(given)).toEqual(['lost, and no line in a log says so: 1: M-7'])
    expect(broken({ ...given, log: [complaint('M-7')] })).toEqual([])
    expect(broken({ ...given, mode: 'completed', log: [complaint('M-7')] })).toHaveLength(1)
  })
})

describe('a message that was executed twice', () => {
  const again = (id: string, after: number) => [
    ...evidence().journal,
    ...execution(id, timeOf(id) + after, 'e-2'),
  ]

  it('is found, and put down to the fault that was there when its first execution ended', () => {
    const faults = [fault('broker killed', timeOf('M-9') + 5), fault('pool killed', timeOf('M-15'))]
    const given = evidence({ journal: again('M-9', 6_000), faults })
    expect(reconcile(given).twice).toEqual([{ id: 'M-9', fault: faults[0] }])
    expect(broken(given)).toEqual([])
  })

  it('may have been doubled after an attempt that failed: two copies of it rested', () => {
    const faults = [fault('broker killed', timeOf('M-9') - 5_000)]
    const failed = [
      line('start', 'M-9', timeOf('M-9') - 5_010, 'e-0'),
      line('failed', 'M-9', timeOf('M-9') - 5_000, 'e-0'),
    ]
    const given = evidence({ journal: [...failed, ...again('M-9', 100)], faults }, { 'M-9': { failures: 1 } })
    expect(reconcile(given).twice).toEqual([{ id: 'M-9', fault: faults[0] }])
    expect(broken(given)).toEqual([])
  })

  it('breaks the promise when there was no fault', () => {
    expect(broken(evidence({ journal: again('M-9', 100) }))).toEqual([
      'executed twice without a fault: 1: M-9',
    ])
  })

  it('breaks the promise when there are more than the faults could do together', () => {
    const many = Array.from({ length: 40 }, (_, index) => ({
      id: `M-${index}`,
      fault: fault('broker killed', 0),
    }))
    const faults = [fault('broker killed', 0)]
    const found = {
      published: 40,
      executed: 40,
      deadLettered: 0,
      queued: 0,
      lost: [],
      twice: many,
      givenUp: [],
      unknown: [],
    }
    const rows = rowsOf('completed', faults, found)
    expect(brokenPromises(rows, found, [])).toEqual([
      expect.stringMatching(/^executed twice: 40, at most \d+: M-0 /),
    ])
    const few = { ...found, twice: many.slice(0, rows[0]?.twiceAtMost) }
    expect(brokenPromises(rowsOf('completed', faults, few), few, [])).toEqual([])
  })

  it('breaks the promise when the fault can do no such thing', () => {
    const given = evidence({ journal: again('M-9', 100), faults: [fault('pool reloaded', timeOf('M-9'))] })
    expect(broken(given)).toEqual(['executed twice by "pool reloaded": 1, at most 0: M-9'])
  })

  it('is not one whose first execution was killed, or failed and was retried', () => {
    const journal = [
      ...evidence().journal,
      line('start', 'M-9', timeOf('M-9') - 500, 'e-killed'),
      line('start', 'M-10', timeOf('M-10') - 500, 'e-failed'),
      line('failed', 'M-10', timeOf('M-10') - 400, 'e-failed'),
    ]
    expect(reconcile(evidence({ journal }, { 'M-10': { failures: 1 } })).twice).toEqual([])
  })
})

describe('other things that must not be', () => {
  it('an execution that nobody asked for', () => {
    const journal = [...evidence().journal, ...execution('M-99', 5_000)]
    expect(broken(evidence({ journal }))).toEqual(['executed or dead-lettered, and never published: 1: M-99'])
  })

  it('a daemon that ends by itself', () => {
    expect(broken(evidence(), ['D-1-1 ended by itself (70)'])).toEqual(['D-1-1 ended by itself (70)'])
  })

  it('a message given up that would have succeeded is shown, with its fault', () => {
    const faults = [fault('script missing', timeOf('M-2'))]
    const given = evidence({
      journal: without('M-2'),
      deadLettered: new Set(['M-2']),
      log: [complaint('M-2')],
      faults,
    })
    expect(reconcile(given).givenUp).toEqual([{ id: 'M-2', fault: faults[0] }])
    const asked = {
      ...given,
      published: new Map([['M-2', { asked: { unprocessable: true }, confirmed: true }]]),
    }
    expect(reconcile({ ...asked, journal: [] }).givenUp).toEqual([])
  })
})
