import { describe, expect, it } from 'vitest'
import { ALL_KINDS, DAEMONS, kindsIn, mayOverlap } from '../../chaos/fault-kinds.ts'
import { bodyOf, mustBeGivenUp, planned } from '../../chaos/message-plan.ts'
import { seeded } from '../../chaos/random.ts'
import { schedule } from '../../chaos/schedule.ts'

const SEEDS = Array.from({ length: 50 }, (_, seed) => seed * 7_919)

describe('the schedule', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(schedule(42, 100)).toEqual(schedule(42, 100))
    expect(schedule(42, 100)).not.toEqual(schedule(43, 100))
  })

  it.each([0, 1, 7, 100])('has %i faults, numbered from 1, in order', (count) => {
    const numbers = schedule(5, count).flatMap(({ faults }) => faults.map(({ number }) => number))
    expect(numbers).toEqual(Array.from({ length: count }, (_, index) => index + 1))
  })

  it('gives every kind its turn before one comes again', () => {
    const kinds = schedule(6, 2 * ALL_KINDS.length).flatMap(({ faults }) => faults.map(({ kind }) => kind))
    expect(kinds.slice(0, ALL_KINDS.length).sort()).toEqual([...ALL_KINDS].sort())
    expect(kinds.slice(ALL_KINDS.length).sort()).toEqual([...ALL_KINDS].sort())
  })

  it('takes only the kinds that it is given', () => {
    const kinds = schedule(7, 5, ['pool killed']).flatMap(({ faults }) => faults.map(({ kind }) => kind))
    expect(kinds).toEqual(Array(5).fill('pool killed'))
  })

  it('has no kind that the mode does not know', () => {
    expect(kindsIn('completed')).toEqual(ALL_KINDS)
    expect(kindsIn('dispatched')).not.toContain('application broken')
    expect(kindsIn('dispatched', ['application broken', 'pool killed'])).toEqual(['pool killed'])
  })

  it('has pairs now and then, and only of kinds that may overlap', () => {
    const pairs = SEEDS.flatMap((seed) => schedule(seed, 100)).filter(({ faults }) => faults.length > 1)
    expect(pairs.length).toBeGreaterThan(50)
    for (const { faults } of pairs) {
      const [one, other] = faults
      expect(one && other && mayOverlap(one.kind, other.kind)).toBe(true)
    }
  })

  it('keeps every number in its range', () => {
    for (const { calm, faults } of SEEDS.flatMap((seed) => schedule(seed, 100))) {
      expect(calm).toBeGreaterThanOrEqual(500)
      expect(calm).toBeLessThanOrEqual(2_500)
      for (const { target, lasts, after } of faults) {
        expect(target).toBeGreaterThanOrEqual(0)
        expect(target).toBeLessThan(DAEMONS)
        expect(lasts).toBeGreaterThanOrEqual(500)
        expect(lasts).toBeLessThanOrEqual(3_000)
        expect(after).toBeLessThanOrEqual(1_500)
      }
    }
  })
})

describe('what may overlap', () => {
  it('is the same both ways', () => {
    for (const one of ALL_KINDS)
      for (const other of ALL_KINDS) expect(mayOverlap(one, other)).toBe(mayOverlap(other, one))
  })

  it.each([
    ['queue deleted', 'pool killed'], // it waits until nothing is in flight
    ['daemon killed', 'pool killed'], // nobody would say what the pool lost
    ['broker killed', 'broker app stopped'],
    ['pool killed', 'child killed before output'],
  ] as const)('is not %s and %s', (one, other) => {
    expect(mayOverlap(one, other)).toBe(false)
  })
})

describe('random numbers', () => {
  it('come from the seed, spread over the range, both ends included', () => {
    const random = seeded(1)
    const drawn = Array.from({ length: 1_000 }, () => random.integer(3, 7))
    expect(new Set(drawn)).toEqual(new Set([3, 4, 5, 6, 7]))
    const again = seeded(1)
    expect(Array.from({ length: 1_000 }, () => again.integer(3, 7))).toEqual(drawn)
  })

  it('shuffle without losing anything', () => {
    expect(seeded(9).shuffled(ALL_KINDS).sort()).toEqual([...ALL_KINDS].sort())
  })
})

describe('what messages ask for', () => {
  const plans = Array.from({ length: 5_000 }, (_, n) => planned(11, n))

  it('is the same for the same seed', () => {
    expect(plans).toEqual(Array.from({ length: 5_000 }, (_, n) => planned(11, n)))
  })

  it('is a little of everything', () => {
    expect(plans.some(({ ms = 0 }) => ms >= 1_000)).toBe(true)
    expect(plans.some(({ output = false }) => output)).toBe(true)
    expect(plans.some(({ failures = 0 }) => failures > 0 && failures < 4)).toBe(true)
    expect(plans.some(({ deaths = 0 }) => deaths > 0)).toBe(true)
    expect(plans.filter(({ headers }) => headers === 'marked').length).toBeGreaterThan(0)
    expect(plans.filter(({ headers }) => headers === 'counted').length).toBeGreaterThan(0)
    const givenUp = plans.filter(mustBeGivenUp)
    expect(givenUp.length).toBeGreaterThan(0)
    expect(givenUp.length).toBeLessThan(plans.length / 100)
  })

  it('goes into the body with the id; what is unprocessable is no object', () => {
    expect(JSON.parse(bodyOf('M-1', { ms: 5 }).toString())).toEqual({ id: 'M-1', ms: 5 })
    expect(JSON.parse(bodyOf('M-2', { unprocessable: true }).toString())).toBe('M-2')
  })
})
