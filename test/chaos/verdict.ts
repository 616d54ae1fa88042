import type { AckMode } from '../../src/bridge/ports.ts'
import { doublesAtMost, type FaultKind, losesAtMost, nippedAtMost } from './fault-kinds.ts'
import type { InjectedFault } from './injected-fault.ts'
import type { BurntFinding, Finding, Reconciliation } from './reconcile.ts'

/** What the faults of one kind did, beside what they may do. */
export interface KindRow {
  readonly kind: FaultKind
  readonly count: number
  readonly lost: number
  readonly lostAtMost: number
  readonly twice: number
  readonly twiceAtMost: number
  /** Attempts that were counted and never ran. */
  readonly burnt: number
  readonly burntAtMost: number
  /** Messages that were lost and never ran. */
  readonly unbegun: number
  readonly givenUp: number
  /** Milliseconds, ascending; infinite where it took more than a minute. */
  readonly recoveries: readonly number[]
}

/** Ids that a line about a broken promise names at most. */
const NAMED = 10

/** One row for each kind that was injected, in the order of their names. */
export function rowsOf(
  mode: AckMode,
  faults: readonly InjectedFault[],
  { lost, twice, burnt, givenUp }: Reconciliation,
): KindRow[] {
  const kinds = [...new Set(faults.map(({ kind }) => kind))].sort()
  return kinds.map((kind) => {
    const own = faults.filter((fault) => fault.kind === kind)
    const of = (findings: readonly Finding[]) => findings.filter(({ fault }) => fault?.kind === kind).length
    return {
      kind,
      count: own.length,
      lost: of(lost.filter(({ asked }) => !asked)),
      lostAtMost: own.length * losesAtMost(kind, mode),
      twice: of(twice),
      twiceAtMost: own.length * doublesAtMost(kind),
      burnt: attemptsOf(burnt.filter(({ fault }) => fault?.kind === kind)),
      burntAtMost: own.length * nippedAtMost(kind),
      unbegun: of(lost.filter(({ begun }) => !begun)),
      givenUp: of(givenUp),
      recoveries: own.map(recoveryTime).sort((a, b) => a - b),
    }
  })
}

const attemptsOf = (burnt: readonly BurntFinding[]): number =>
  burnt.reduce((sum, { attempts }) => sum + attempts, 0)

/** Milliseconds. A daemon can be back before the one who waits for the broker has noticed. */
function recoveryTime({ lifted, recovered }: InjectedFault): number {
  return recovered === undefined ? Number.POSITIVE_INFINITY : Math.max(0, recovered - lifted)
}

/**
 * What was promised and not kept, line by line; none when all is well.
 *
 * @param failures daemons that did not live or end as they should
 */
export function brokenPromises(
  rows: readonly KindRow[],
  { lost, twice, burnt, unknown }: Reconciliation,
  failures: readonly string[],
): string[] {
  const broken = [...failures]
  for (const { kind, lost: cost, lostAtMost, twice: doubled, twiceAtMost } of rows) {
    const ofKind = ({ fault }: Finding) => fault?.kind === kind
    if (cost > lostAtMost) {
      const ids = lost.filter(({ asked }) => !asked).filter(ofKind)
      broken.push(`lost by "${kind}": ${cost}, at most ${lostAtMost}: ${named(ids)}`)
    }
    // Of two faults at a time either may have doubled a message, so what one kind may do is counted over all that may.
    if (doubled > 0 && twiceAtMost === 0) {
      broken.push(
        `executed twice by "${kind}": ${doubled}, at most ${twiceAtMost}: ${named(twice.filter(ofKind))}`,
      )
    }
  }
  const doubling = rows.filter(({ twiceAtMost }) => twiceAtMost > 0)
  const doubled = doubling.reduce((sum, { twice: own }) => sum + own, 0)
  const doubledAtMost = doubling.reduce((sum, { twiceAtMost }) => sum + twiceAtMost, 0)
  if (doubled > doubledAtMost) {
    broken.push(`executed twice: ${doubled}, at most ${doubledAtMost}: ${named(twice)}`)
  }
  for (const { kind, burnt: count, burntAtMost: most } of rows) {
    if (count <= most) continue
    const ids = named(burnt.filter(({ fault }) => fault?.kind === kind))
    broken.push(`attempts counted that never ran, by "${kind}": ${count}, at most ${most}: ${ids}`)
  }
  for (const { kind, burntAtMost: most } of rows) {
    const ids = lost.filter(({ fault, begun }) => fault?.kind === kind && !begun)
    if (ids.length <= most) continue
    broken.push(`lost by "${kind}", though not begun: ${ids.length}, at most ${most}: ${named(ids)}`)
  }
  const causeless = ({ fault }: Finding) => fault === undefined
  const lostForNothing = lost.filter(({ asked }) => !asked).filter(causeless)
  if (lostForNothing.length > 0) broken.push(`lost without a fault: ${counted(lostForNothing)}`)
  const twiceForNothing = twice.filter(causeless)
  if (twiceForNothing.length > 0) broken.push(`executed twice without a fault: ${counted(twiceForNothing)}`)
  const burntForNothing = burnt.filter(causeless)
  if (burntForNothing.length > 0) {
    broken.push(`attempts counted that never ran, without a fault: ${counted(burntForNothing)}`)
  }
  const unlogged = lost.filter(({ logged }) => !logged)
  if (unlogged.length > 0) broken.push(`lost, and no line in a log says so: ${counted(unlogged)}`)
  if (unknown.length > 0) {
    broken.push(`executed or dead-lettered, and never published: ${counted(unknown.map((id) => ({ id })))}`)
  }
  return broken
}

const counted = (found: readonly { id: string }[]): string => `${found.length}: ${named(found)}`

function named(found: readonly { id: string }[]): string {
  const ids = found.slice(0, NAMED).map(({ id }) => id)
  return found.length > NAMED ? `${ids.join(' ')} ...` : ids.join(' ')
}
