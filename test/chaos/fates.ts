import type { AckMode } from '../../src/bridge/ports.ts'
import { burntAttempts } from './attempts.ts'
import type { JournalLine } from './journal.ts'
import { type Asked, mustBeGivenUp } from './message-plan.ts'

/** What is known when all is over. */
export interface Evidence {
  /** By message id, as `byMessage` gives it. */
  readonly journal: ReadonlyMap<string, readonly JournalLine[]>
  /** Ids of messages that a log tells the loss of. */
  readonly complaints: ReadonlySet<string>
  readonly deadLettered: ReadonlySet<string>
  /** Ids of messages that are still in the queue: nobody has executed them. */
  readonly queued: ReadonlySet<string>
}

/** What became of some messages, by their ids. */
export interface Fates {
  readonly lost: readonly string[]
  /** Of the lost: those that nothing had begun to execute. */
  readonly unbegun: readonly string[]
  /** Of the lost: those that no log tells of. */
  readonly silent: readonly string[]
  readonly twice: readonly string[]
  /** Attempts that were counted and never ran. */
  readonly burnt: number
  /** Dead-lettered, though an execution would have succeeded. */
  readonly givenUp: readonly string[]
  readonly stuck: readonly string[]
}

export function byMessage(journal: readonly JournalLine[]): Map<string, JournalLine[]> {
  const lines = new Map<string, JournalLine[]>()
  for (const line of journal) {
    const own = lines.get(line.id)
    if (own === undefined) lines.set(line.id, [line])
    else own.push(line)
  }
  return lines
}

/**
 * Compares, id by id, what was published with what became of it. Pure.
 *
 * @param published what each message asked for; all of them were confirmed
 */
export function fatesOf(mode: AckMode, published: ReadonlyMap<string, Asked>, evidence: Evidence): Fates {
  const { journal, complaints, deadLettered, queued } = evidence
  const completes = ({ event }: JournalLine) =>
    event === 'done' || (event === 'failed' && mode === 'dispatched')
  const ids = [...published.keys()]
  const linesOf = (id: string) => journal.get(id) ?? []
  const executions = new Map(ids.map((id) => [id, linesOf(id).filter(completes).length]))
  const open = ids.filter((id) => executions.get(id) === 0 && !deadLettered.has(id))
  const lost = open.filter((id) => !queued.has(id))
  const burnt = ids.flatMap((id) => burntAttempts(linesOf(id)))
  return {
    lost,
    unbegun: lost.filter((id) => linesOf(id).length === 0),
    silent: lost.filter((id) => !complaints.has(id)),
    twice: ids.filter((id) => (executions.get(id) ?? 0) > 1),
    burnt: burnt.reduce((sum, { attempts }) => sum + attempts, 0),
    givenUp: ids.filter((id) => deadLettered.has(id) && !mustBeGivenUp(published.get(id) ?? {})),
    stuck: open.filter((id) => queued.has(id)),
  }
}
