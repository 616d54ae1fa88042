import type { LogLine } from '../support/bridge-process.ts'
import type { Standing } from '../support/standing-children.ts'
import type { JournalLine } from './journal.ts'

/** An execution that its child was at when it was killed. */
export interface CutOff extends Standing {
  /** Milliseconds since the epoch. */
  readonly time: number
}

/**
 * The journal with a start for each execution that was cut off before the script could write its own. Of which message it was, the log
 * knows. Pure.
 */
export function withCutOff(
  journal: readonly JournalLine[],
  cutOff: readonly CutOff[],
  log: readonly LogLine[],
): readonly JournalLine[] {
  const begun = new Set(journal.map(({ executionId }) => executionId))
  const said = new Map(log.map((line) => [line['execution_id'], line]))
  const starts = cutOff.flatMap(({ executionId, pid, time }): JournalLine[] => {
    const line = said.get(executionId)
    if (line === undefined || begun.has(executionId)) return []
    const { message_id: id, daemon_id: daemonId, attempt } = line
    return [
      {
        event: 'start',
        id: String(id),
        executionId,
        daemonId: String(daemonId),
        pid,
        attempt: Number(attempt),
        time,
      },
    ]
  })
  return starts.length === 0 ? journal : [...journal, ...starts].sort((one, other) => one.time - other.time)
}
