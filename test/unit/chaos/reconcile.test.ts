import { describe, expect, it } from 'vitest'
import type { FaultKind } from '../../chaos/fault-kinds.ts'
import { reconcile } from '../../chaos/reconcile.ts'
import { brokenPromises, rowsOf } from '../../chaos/verdict.ts'
import { broken, complaint, evidence, execution, fault, line, timeOf, without } from './evidence.ts'

describe('a run in which all went well', () => {
  it('adds up, and breaks no promise', () => {
    const found = reconcile(evidence())
    expect(found).toMatchObject({ published: 20, executed: 20, deadLettered: 0, queued: 0 })
    expect(found).toMatchObject({ lost: [], twice: [], burnt: [], givenUp: [], unknown: [] })
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
    const published = new Map(given.published).set('M-5', { asked: {}, time: 0, confirmed: false })
    expect(reconcile({ ...given, published })).toMatchObject({ published: 19, executed: 19, lost: [] })
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
      burnt: [],
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

describe('an attempt that was counted and never ran', () => {
  const burnt = (kind?: FaultKind) => {
    const at = timeOf('M-9')
    const journal = [...without('M-9'), { ...line('start', 'M-9', at + 3_000), attempt: 2 }]
    // Published when the fault came, first executed a retry delay later.
    const faults = kind === undefined ? [] : [fault(kind, at - 100)]
    return broken(evidence({ journal: [...journal, line('done', 'M-9', at + 3_010)], faults }))
  }

  it.each(['pool reloaded', 'pool stopped', 'broker killed', 'daemon killed'] as const)(
    'breaks the promise when %s',
    (kind) => {
      expect(burnt(kind)).toEqual([`attempts counted that never ran, by "${kind}": 1, at most 0: M-9`])
    },
  )

  it('breaks the promise when there was no fault', () => {
    expect(burnt()).toEqual(['attempts counted that never ran, without a fault: 1: M-9'])
  })

  it('is what a killed pool may cost: a child had read the request, and not begun', () => {
    expect(burnt('pool killed')).toEqual([])
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
      published: new Map([['M-2', { asked: { unprocessable: true }, time: 0, confirmed: true }]]),
    }
    expect(reconcile({ ...asked, journal: [] }).givenUp).toEqual([])
  })
})
