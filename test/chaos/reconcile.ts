import type { AckMode } from '../../src/bridge/ports.ts'
import { burntAttempts } from './attempts.ts'
import { byKey } from './by-key.ts'
import { doublesAtMost, losesAtMost, nippedAtMost } from './fault-kinds.ts'
import type { Published } from './flow.ts'
import { blame, type InjectedFault } from './injected-fault.ts'
import type { JournalLine } from './journal.ts'
import { mustBeGivenUp } from './message-plan.ts'

/** A line of a daemon's log that is about a message. */
export interface MessageLine {
  readonly messageId: string
  readonly level: string
  /** What became of the execution, where the line says so. */
  readonly outcome: string | undefined
  readonly time: number
}

/** Everything that is known when all is over. */
export interface Evidence {
  readonly mode: AckMode
  /** By message id. */
  readonly published: ReadonlyMap<string, Published>
  readonly journal: readonly JournalLine[]
  readonly log: readonly MessageLine[]
  readonly deadLettered: ReadonlySet<string>
  readonly queued: ReadonlySet<string>
  readonly faults: readonly InjectedFault[]
}

/** Something that happened to one message, and the fault that it is put down to. */
export interface Finding {
  readonly id: string
  readonly fault: InjectedFault | undefined
}

export interface Loss extends Finding {
  /** Whether a worker had begun to execute it. */
  readonly begun: boolean
  /** Whether a daemon's log says so. */
  readonly logged: boolean
  /** Whether the message asked the worker to die. */
  readonly asked: boolean
}

export interface BurntFinding extends Finding {
  /** Counted, though nothing ran. */
  readonly attempts: number
}

export interface Reconciliation {
  /** Confirmed by the broker; nothing is promised about others. */
  readonly published: number
  readonly executed: number
  readonly deadLettered: number
  readonly queued: number
  /** Neither executed, nor dead-lettered, nor queued. */
  readonly lost: readonly Loss[]
  /** Two or more executions that were completed. */
  readonly twice: readonly Finding[]
  readonly burnt: readonly BurntFinding[]
  /** Dead-lettered, though some execution of it would have succeeded. */
  readonly givenUp: readonly Finding[]
  /** Executed or dead-lettered, and nobody has published them. */
  readonly unknown: readonly string[]
}

/** Compares what was published with what became of it, id by id. Pure. */
export function reconcile(evidence: Evidence): Reconciliation {
  const { mode, published, deadLettered, queued, faults } = evidence
  const starts = byId(evidence.journal.filter(({ event }) => event === 'start'))
  // Acked when it has succeeded: an execution that answers 503 comes again. Acked when it was dispatched: that was it.
  const isCompleted = ({ event }: JournalLine) =>
    event === 'done' || (event === 'failed' && mode === 'dispatched')
  const completed = byId(evidence.journal.filter(isCompleted))
  const complaints = complaintsById(evidence.log)

  const lost: Loss[] = []
  const twice: Finding[] = []
  const givenUp: Finding[] = []
  const counts = { published: 0, executed: 0, deadLettered: 0, queued: 0 }
  for (const [id, { asked, confirmed }] of published) {
    const ends = completed.get(id) ?? []
    if (ends.length > 1) twice.push({ id, fault: blameForDouble(faults, starts.get(id) ?? [], ends) })
    if (deadLettered.has(id) && !mustBeGivenUp(asked)) {
      const at = complaints.get(id)?.at(-1)?.time ?? starts.get(id)?.at(-1)?.time ?? 0
      givenUp.push({ id, fault: blame(faults, at, at, () => true) })
    }
    if (!confirmed) continue
    counts.published += 1
    if (ends.length > 0) counts.executed += 1
    else if (deadLettered.has(id)) counts.deadLettered += 1
    else if (queued.has(id)) counts.queued += 1
    else {
      const said = complaints.get(id) ?? []
      const at = said.at(-1)?.time ?? starts.get(id)?.at(-1)?.time ?? 0
      const fault = blame(faults, at, at, (kind) => losesAtMost(kind, mode) > 0)
      const doomed = (asked.deaths ?? 0) > 0 && mode === 'dispatched'
      lost.push({ id, fault, begun: starts.has(id), logged: said.some(accountsFor), asked: doomed })
    }
  }
  const burnt = burntAttempts(evidence.journal).map(({ id, attempts, from, to }): BurntFinding => {
    const since = from ?? published.get(id)?.time ?? to
    return { id, attempts, fault: blame(faults, since, to, (kind) => nippedAtMost(kind) > 0) }
  })
  const unknown = [...new Set([...completed.keys(), ...deadLettered])].filter((id) => !published.has(id))
  return { ...counts, lost, twice, burnt, givenUp, unknown }
}

/**
 * Its ack never arrived: by a fault that was there before its first completed execution had ended, or just after. It may
 * have been that of an earlier attempt, after which two copies of the message rested for seconds.
 */
function blameForDouble(
  faults: readonly InjectedFault[],
  starts: readonly JournalLine[],
  ends: readonly JournalLine[],
): InjectedFault | undefined {
  const first = ends[0]?.time ?? 0
  const from = Math.min(first, ...starts.map(({ time }) => time))
  return blame(faults, from, first, (kind) => doublesAtMost(kind) > 0)
}

const accountsFor = ({ outcome }: MessageLine): boolean => outcome === 'lost' || outcome === 'refused'

/** In the order of their times: one daemon may put back what another one loses. */
function complaintsById(log: readonly MessageLine[]): Map<string, MessageLine[]> {
  const complaints = log.filter(({ level }) => level === 'warn' || level === 'error')
  return byKey(
    complaints.sort((a, b) => a.time - b.time),
    ({ messageId }) => messageId,
  )
}

const byId = (lines: readonly JournalLine[]): Map<string, JournalLine[]> => byKey(lines, ({ id }) => id)
