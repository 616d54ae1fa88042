import { describe, expect, it } from 'vitest'
import type { FaultKind } from '../../chaos/fault-kinds.ts'
import { reconcile } from '../../chaos/reconcile.ts'
import { broken, complaint, evidence, fault, IDS, killed, line, timeOf, without } from './evidence.ts'

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
    expect(reconcile(evidence({ journal: killed('M-7') })).lost).toMatchObject([{ id: 'M-7' }])
  })

  it('is found when it failed as it was asked to, and was never tried again', () => {
    const journal = [...without('M-7'), line('start', 'M-7', 1), line('failed', 'M-7', 2)]
    const given = evidence({ journal }, { 'M-7': { failures: 1 } })
    expect(reconcile(given).lost).toMatchObject([{ id: 'M-7' }])
    // Acked when it was dispatched, that was its one execution.
    expect(reconcile({ ...given, mode: 'dispatched' }).lost).toEqual([])
  })

  it('breaks the promise of --ack completed, whatever the fault', () => {
    const given = evidence({
      journal: killed('M-7'),
      log: [complaint('M-7')],
      faults: [fault('pool killed', timeOf('M-7'))],
    })
    expect(broken(given)).toEqual(['lost by "pool killed": 1, at most 0: M-7'])
  })

  it('is what --ack dispatched allows when it was executing, and a log says so', () => {
    const faults = [fault('pool killed', timeOf('M-7'))]
    const given = evidence({ mode: 'dispatched', journal: killed('M-7'), log: [complaint('M-7')], faults })
    const loss = { id: 'M-7', fault: faults[0], begun: true, logged: true, asked: false }
    expect(reconcile(given).lost).toEqual([loss])
    expect(broken(given)).toEqual([])
  })

  it('breaks the promise when it had not begun, but where children were killed that may just have read it', () => {
    const journal = without('M-7')
    const struckBy = (kind: FaultKind) =>
      evidence({
        mode: 'dispatched',
        journal,
        log: [complaint('M-7')],
        faults: [fault(kind, timeOf('M-7'))],
      })
    expect(broken(struckBy('pool killed'))).toEqual([])
    expect(broken(struckBy('child killed after output'))).toEqual([
      'lost by "child killed after output", though not begun: 1, at most 0: M-7',
    ])
  })

  it('is put down to the fault of its last complaint, whichever daemon it is of', () => {
    const faults = [fault('script missing', timeOf('M-7')), fault('pool killed', timeOf('M-12'))]
    const lost = { ...complaint('M-7'), time: timeOf('M-12') }
    const log = [lost, complaint('M-7', 'refused')]
    const given = evidence({ mode: 'dispatched', journal: killed('M-7'), log, faults })
    expect(reconcile(given).lost).toMatchObject([{ id: 'M-7', fault: { kind: 'pool killed' } }])
    expect(broken(given)).toEqual([])
  })

  it('is found when no log says so', () => {
    const faults = [fault('pool killed', timeOf('M-7'))]
    const given = evidence({ mode: 'dispatched', journal: killed('M-7'), faults })
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
      journal: killed(...ids),
      log: ids.map((id) => complaint(id)),
      faults: [fault('pool killed', timeOf('M-1'), timeOf('M-20'))],
    })
    expect(broken(given)).toEqual([
      expect.stringMatching(/^lost by "pool killed": 13, at most 12: M-1 .* \.\.\.$/),
    ])
  })

  it('is its own wish when it asked the worker to die, but it must be logged', () => {
    const given = evidence({ mode: 'dispatched', journal: killed('M-7') }, { 'M-7': { deaths: 1 } })
    expect(broken(given)).toEqual(['lost, and no line in a log says so: 1: M-7'])
    expect(broken({ ...given, log: [complaint('M-7')] })).toEqual([])
    expect(broken({ ...given, mode: 'completed', log: [complaint('M-7')] })).toHaveLength(1)
  })
})
