import type { AckMode } from '../../../src/bridge/ports.ts'
import { type Evidence, type Fates, fatesOf } from '../fates.ts'
import type { Asked } from '../message-plan.ts'
import { type Cut, traitsOf } from './points.ts'

export interface Round extends Cut {
  readonly number: number
  readonly mode: AckMode
  /** What was published and confirmed in it, by message id. */
  readonly published: ReadonlyMap<string, Asked>
  /** Why the message did not come to its point; undefined: it did. */
  readonly missed: string | undefined
}

/** What came of one round. */
export interface Outcome {
  readonly round: Round
  readonly fates: Fates
}

/** Pure. */
export function outcomesOf(rounds: readonly Round[], evidence: Evidence): Outcome[] {
  return rounds.map((round) => ({ round, fates: fatesOf(round.mode, round.published, evidence) }))
}

/** What was promised and not kept, line by line. Pure. */
export function brokenPromises(outcomes: readonly Outcome[]): string[] {
  return outcomes.flatMap(({ round, fates }) => {
    const { number, mode, point, deed, missed } = round
    const { lost, unbegun, silent, twice, burnt, givenUp, stuck } = fates
    const traits = traitsOf(deed)
    const broken: string[] = []
    const add = (what: string, ids: readonly string[]) => {
      if (ids.length > 0) broken.push(`${what}: ${ids.join(' ')}`)
    }
    if (missed !== undefined) broken.push(missed)
    if (mode === 'completed' || traits.loses === 'nothing') add('lost', lost)
    else if (traits.loses === 'executing') add('lost, though it was not executing', unbegun)
    if (traits.logged) add('lost, and no line in a log says so', silent)
    if (traits.graceful) add('executed twice', twice)
    // Over TCP nobody can know that nothing ran.
    if (burnt > 0 && traits.listen !== 'tcp') broken.push(`attempts burnt: ${burnt}`)
    add('dead-lettered, and would have succeeded', givenUp)
    add('still in the queue', stuck)
    return broken.map((what) => `round ${number} (${mode}, ${point}, ${deed}): ${what}`)
  })
}
