import { Counters, type Counts } from '../observe/counters.ts'
import { addUp } from '../observe/totals.ts'
import type { FleetMember } from './fleet-member.ts'
import type { ProcessRecord } from './process-record.ts'

/** What a supervisor can say of a process that has left no record: it was killed, or never came to work. */
export interface ReducedRecord extends Pick<ProcessRecord, 'daemon_id' | 'queues' | 'start' | 'end'> {
  readonly pid: number | undefined
  /** The signal, or `exit <code>`. */
  readonly reason: string
  /** As it had said last. */
  readonly messages: Counts
}

/** @param member that has ended */
export function reducedRecord({ pid, started, ended, report }: FleetMember): ReducedRecord | undefined {
  if (ended === undefined) return undefined
  const { id, exit, time } = ended
  const totals = Object.entries(report?.totals ?? {})
  const none: Counts = { ...new Counters().counts }
  return {
    daemon_id: id,
    pid,
    queues: totals.map(([queue]) => queue),
    start: started.toISOString(),
    end: time.toISOString(),
    reason: reasonOf(exit),
    messages: totals.reduce((sum, [, { counts }]) => addUp(sum, counts), none),
  }
}

function reasonOf({
  code,
  signal,
}: {
  readonly code: number | null
  readonly signal: string | null
}): string {
  if (signal !== null) return signal
  return code === null ? 'not started' : `exit ${code}`
}
