import { ALL_KINDS, DAEMONS, type FaultKind, mayOverlap } from './fault-kinds.ts'
import { type Random, seeded } from './random.ts'

/** One fault, as the seed wants it. */
export interface Fault {
  /** From 1. */
  readonly number: number
  readonly kind: FaultKind
  /** Which daemon, from 0, where the kind strikes one. */
  readonly target: number
  /** Milliseconds until it is lifted, where that is ours to say. */
  readonly lasts: number
  /** Milliseconds after the beginning of its step. */
  readonly after: number
}

/** One fault, or two that overlap. The next step begins when all of them have been recovered from. */
export interface Step {
  /** Milliseconds of undisturbed flow before it. */
  readonly calm: number
  readonly faults: readonly Fault[]
}

/** Of so many steps one is a pair, where the kinds allow it. */
const PAIR_EVERY = 6

/**
 * What is done to the system, from the seed alone: the same seed gives the same kinds, targets and times. Every kind
 * has its turn before one comes again.
 */
export function schedule(seed: number, faults: number, kinds: readonly FaultKind[] = ALL_KINDS): Step[] {
  const random = seeded(seed)
  const deck = deal(random, faults, kinds)
  const steps: Step[] = []
  for (let number = 1; number <= faults; ) {
    const [kind, next] = deck.splice(0, 1).concat(deck.slice(0, 1)) as [FaultKind, FaultKind | undefined]
    const step = [draw(random, number, kind, 0)]
    const calm = random.integer(500, 2_500)
    number += 1
    if (next !== undefined && random.integer(1, PAIR_EVERY) === 1 && mayOverlap(kind, next)) {
      step.push(draw(random, number, next, random.integer(0, 1_500)))
      deck.shift()
      number += 1
    }
    steps.push({ calm, faults: step })
  }
  return steps
}

function deal(random: Random, count: number, kinds: readonly FaultKind[]): FaultKind[] {
  const dealt: FaultKind[] = []
  while (dealt.length < count) dealt.push(...random.shuffled(kinds))
  return dealt.slice(0, count)
}

function draw(random: Random, number: number, kind: FaultKind, after: number): Fault {
  return { number, kind, target: random.integer(0, DAEMONS - 1), lasts: random.integer(500, 3_000), after }
}

/** A line about a step, for the one who watches. */
export function describeStep({ faults }: Step): string {
  return faults.map(({ number, kind }) => `${number} ${kind}`).join('  +  ')
}
