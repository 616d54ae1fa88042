import type { AckMode } from '../../../src/bridge/ports.ts'
import { burntAttempts } from '../attempts.ts'
import type { JournalLine } from '../journal.ts'
import { type Asked, mustBeGivenUp } from '../message-plan.ts'
import { type Cut, traitsOf } from './points.ts'

export interface Round extends Cut {
  readonly number: number
  readonly mode: AckMode
  /** What was published and confirmed in it, by message id. */
  readonly published: ReadonlyMap<string, Asked>
  /** Why the message did not come to its point; undefined: it did. */
  readonly missed: string | undefined
}

/** What is known when all is over. */
export interface Evidence {
  readonly journal: readonly JournalLine[]
  /** Ids of messages that a log tells the loss of. */
  readonly complaints: ReadonlySet<string>
  readonly deadLettered: ReadonlySet<string>
  /** Ids of messages that are still in the queue: nobody has executed them. */
  readonly queued: ReadonlySet<string>
}

/** What came of one round. */
export interface Outcome {
  readonly round: Round
  readonly lost: readonly string[]
  /** Of the lost: those that nothing had begun to execute. */
  readonly unbegun: readonly string[]
  /** Of the lost: those that a log tells of. */
  readonly logged: readonly string[]
  readonly twice: readonly string[]
  readonly burnt: number
  /** Dead-lettered, though an execution would have succeeded. */
  readonly givenUp: readonly string[]
  readonly stuck: readonly string[]
}

/** Compares, id by id, what was published with what became of it. Pure. */
export function outcomesOf(rounds: readonly Round[], evidence: Evidence): Outcome[] {
  const burnt = burntAttempts(evidence.journal)
  const begun = new Set(evidence.journal.map(({ id }) => id))
  return rounds.map((round) => {
    const completes = ({ event }: JournalLine) =>
      event === 'done' || (event === 'failed' && round.mode === 'dispatched')
    const ids = [...round.published.keys()]
    const executions = (id: string) => evidence.journal.filter((line) => line.id === id && completes(line))
    const { deadLettered, queued } = evidence
    const isOver = (id: string) => executions(id).length > 0 || deadLettered.has(id)
    const lost = ids.filter((id) => !isOver(id) && !queued.has(id))
    return {
      round,
      lost,
      unbegun: lost.filter((id) => !begun.has(id)),
      logged: lost.filter((id) => evidence.complaints.has(id)),
      twice: ids.filter((id) => executions(id).length > 1),
      burnt: burnt.filter(({ id }) => round.published.has(id)).reduce((sum, one) => sum + one.attempts, 0),
      givenUp: ids.filter((id) => deadLettered.has(id) && !mustBeGivenUp(round.published.get(id) ?? {})),
      stuck: ids.filter((id) => !isOver(id) && queued.has(id)),
    }
  })
}

/** What was promised and not kept, line by line. Pure. */
export function brokenPromises(outcomes: readonly Outcome[]): string[] {
  return outcomes.flatMap(({ round, lost, unbegun, logged, twice, burnt, givenUp, stuck }) => {
    const { number, mode, point, deed, missed } = round
    const traits = traitsOf(deed)
    const broken: string[] = []
    const add = (what: string, ids: readonly string[]) => {
      if (ids.length > 0) broken.push(`${what}: ${ids.join(' ')}`)
    }
    if (missed !== undefined) broken.push(missed)
    if (mode === 'completed' || traits.loses === 'nothing') add('lost', lost)
    else if (traits.loses === 'executing') add('lost, though it was not executing', unbegun)
    if (traits.logged)
      add(
        'lost, and no line in a log says so',
        lost.filter((id) => !logged.includes(id)),
      )
    if (traits.graceful) add('executed twice', twice)
    if (traits.graceful && burnt > 0) broken.push(`attempts burnt: ${burnt}`)
    add('dead-lettered, and would have succeeded', givenUp)
    add('still in the queue', stuck)
    return broken.map((what) => `round ${number} (${mode}, ${point}, ${deed}): ${what}`)
  })
}
