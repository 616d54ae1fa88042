import { describe, expect, it } from 'vitest'
import { ALL_DEEDS, type Deed, POINTS, plan } from '../../../chaos/cuts/points.ts'
import { describe as describeOutcomes } from '../../../chaos/cuts/report.ts'
import { brokenPromises, outcomesOf, type Round } from '../../../chaos/cuts/tally.ts'
import { byMessage, type Evidence } from '../../../chaos/fates.ts'
import type { JournalLine } from '../../../chaos/journal.ts'
import { seeded } from '../../../chaos/random.ts'

const round = (mode: Round['mode'], deed: Deed, more: Partial<Round> = {}): Round => ({
  number: 1,
  mode,
  point: 'executing',
  deed,
  published: new Map([
    ['t', {}],
    ['c', {}],
  ]),
  missed: undefined,
  ...more,
})

const line = (event: JournalLine['event'], id: string, attempt = 1): JournalLine => {
  return { event, id, executionId: `e-${id}`, daemonId: 'D', pid: 1, attempt, time: 0 }
}

const execution = (id: string, attempt = 1) => [line('start', id, attempt), line('done', id, attempt)]

const evidence = (journal: JournalLine[], more: Partial<Evidence> = {}): Evidence => {
  return {
    journal: byMessage(journal),
    complaints: new Set(),
    deadLettered: new Set(),
    queued: new Set(),
    ...more,
  }
}

const broken = (given: Round, found: Evidence) => brokenPromises(outcomesOf([given], found))

const LOST = evidence([line('start', 't'), ...execution('c')])
const TOLD = { complaints: new Set(['t']) }

describe('a round', () => {
  it('in which all was executed once breaks nothing', () => {
    const all = evidence([...execution('t'), ...execution('c')])
    for (const deed of ALL_DEEDS) expect(broken(round('completed', deed), all)).toEqual([])
  })

  it('of --ack completed loses nothing, whatever is done', () => {
    for (const deed of ALL_DEEDS) {
      expect(broken(round('completed', deed), { ...LOST, ...TOLD })).toEqual([
        `round 1 (completed, executing, ${deed}): lost: t`,
      ])
    }
  })

  it('of --ack dispatched loses what was executing in a pool that is killed, with a line', () => {
    expect(broken(round('dispatched', 'pool killed'), { ...LOST, ...TOLD })).toEqual([])
    expect(broken(round('dispatched', 'pool killed'), LOST)).toEqual([
      expect.stringMatching(/lost, and no line in a log says so: t$/),
    ])
    const unread = { ...evidence(execution('c')), ...TOLD }
    expect(broken(round('dispatched', 'pool killed'), unread)).toEqual([
      expect.stringMatching(/lost, though it was not executing: t$/),
    ])
    const all = { ...evidence([]), complaints: new Set(['t', 'c']) }
    expect(broken(round('dispatched', 'pool killed'), all)).toEqual([
      expect.stringMatching(/lost, though it was not executing: t c$/),
    ])
    expect(broken(round('dispatched', 'link reset'), { ...LOST, ...TOLD })).toHaveLength(1)
  })

  it('of --ack dispatched may lose without a line what daemon and pool had when both are killed', () => {
    expect(broken(round('dispatched', 'daemon and pool killed'), evidence(execution('c')))).toEqual([])
  })

  it('costs no attempt that never ran, and with a graceful reload nothing runs twice', () => {
    const journal = [...execution('t', 2), ...execution('c'), ...execution('c')]
    expect(broken(round('completed', 'pool reloaded'), evidence(journal))).toEqual([
      expect.stringMatching(/executed twice: c$/),
      expect.stringMatching(/attempts burnt: 1$/),
    ])
    expect(broken(round('completed', 'pool killed'), evidence(journal))).toEqual([
      expect.stringMatching(/attempts burnt: 1$/),
    ])
  })

  it('gives up only what cannot be executed', () => {
    const found = evidence(execution('c'), { deadLettered: new Set(['t']) })
    expect(broken(round('completed', 'link reset'), found)).toHaveLength(1)
    const published = new Map([
      ['t', { unprocessable: true }],
      ['c', {}],
    ])
    expect(broken(round('completed', 'link reset', { published }), found)).toEqual([])
  })

  it('leaves nothing in the queue', () => {
    const found = evidence(execution('c'), { queued: new Set(['t']) })
    expect(broken(round('completed', 'link reset'), found)).toEqual([
      expect.stringMatching(/still in the queue: t$/),
    ])
  })

  it('whose message did not come to its point says so', () => {
    const all = evidence([...execution('t'), ...execution('c')])
    expect(broken(round('completed', 'link reset', { missed: 'Not within 20 s' }), all)).toHaveLength(1)
  })
})

describe('the plan', () => {
  it('comes by every point in turn, and has every deed at each', () => {
    const cuts = plan(seeded(1), POINTS.length * ALL_DEEDS.length, ALL_DEEDS)
    expect(new Set(cuts.map(({ point, deed }) => `${point} ${deed}`)).size).toBe(cuts.length)
    expect(cuts.slice(0, POINTS.length).map(({ point }) => point)).toEqual(POINTS)
  })
})

it('the report has a line for each point and deed, and the verdict', () => {
  const text = describeOutcomes(outcomesOf([round('dispatched', 'link reset')], LOST))
  expect(text).toMatch(/^executing, link reset +1 +1 +0 +0 +0 +0$/m)
  expect(text).toMatch(/^BROKEN PROMISE: round 1 \(dispatched, executing, link reset\): lost: t$/m)
})
