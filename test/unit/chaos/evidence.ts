import type { FaultKind } from '../../chaos/fault-kinds.ts'
import type { InjectedFault } from '../../chaos/injected-fault.ts'
import type { JournalLine } from '../../chaos/journal.ts'
import type { Asked } from '../../chaos/message-plan.ts'
import { type Evidence, type MessageLine, reconcile } from '../../chaos/reconcile.ts'
import { brokenPromises, rowsOf } from '../../chaos/verdict.ts'

/* A run of twenty messages, a second apart, in which all went well; and what tests change of it. */

export const IDS = Array.from({ length: 20 }, (_, index) => `M-${index + 1}`)

export function line(
  event: JournalLine['event'],
  id: string,
  time: number,
  execution = `e-${id}`,
): JournalLine {
  return { event, id, executionId: execution, daemonId: 'D-1-1', pid: 1, attempt: 1, time }
}

export const execution = (id: string, time: number, name?: string): JournalLine[] => [
  line('start', id, time, name),
  line('done', id, time + 10, name),
]

/** A second apart, from 10 s on. */
export const timeOf = (id: string): number => 9_000 + Number(id.slice(2)) * 1_000

export const fault = (kind: FaultKind, began: number, recovered = began + 500): InjectedFault => ({
  number: 1,
  kind,
  began,
  lifted: began,
  recovered,
  slots: [0],
})

/** All of them published and executed once, without a fault; then what a test changes. */
export function evidence(
  changes: Partial<Evidence> = {},
  asked: Readonly<Record<string, Asked>> = {},
): Evidence {
  return {
    mode: 'completed',
    published: new Map(IDS.map((id) => [id, { asked: asked[id] ?? {}, time: timeOf(id), confirmed: true }])),
    journal: IDS.flatMap((id) => execution(id, timeOf(id))),
    log: [],
    deadLettered: new Set(),
    queued: new Set(),
    faults: [],
    ...changes,
  }
}

export const without = (id: string): JournalLine[] => evidence().journal.filter((entry) => entry.id !== id)

/** These were killed while they were executed. */
export const killed = (...ids: readonly string[]): JournalLine[] =>
  evidence().journal.filter(({ id, event }) => !ids.includes(id) || event === 'start')

export const complaint = (messageId: string, outcome: string | undefined = 'lost'): MessageLine => ({
  messageId,
  level: 'error',
  outcome,
  time: timeOf(messageId),
})

/** What the whole command would say. */
export function broken(given: Evidence, failures: readonly string[] = []): string[] {
  const found = reconcile(given)
  return brokenPromises(rowsOf(given.mode, given.faults, found), found, failures)
}
