import type { Counts } from '../../src/observe/counters.ts'
import type { LogLine } from '../support/bridge-process.ts'
import { timeOf } from './fleet.ts'

/** What a daemon's log says of the end of one execution. */
export interface Ending {
  readonly executionId: string
  readonly messageId: string
  readonly attempt: number
  /** What came of it; where it was not settled, what would have. */
  readonly outcome: keyof Counts
  /**
   * - `counted`: settled, lost, or given back;
   * - `uncounted`: given back, as it had been before: it probed;
   * - `unsettled`: its message is the broker's again;
   * - `parked`: to the end, so that it became the broker's again.
   */
  readonly how: 'counted' | 'uncounted' | 'unsettled' | 'parked'
  /** Of the answer; undefined: there was none, or it was not complete. */
  readonly status: number | undefined
}

/** What one daemon has to say of what it did. */
export interface Account {
  readonly daemonId: string
  /** What it counted, told when it had drained; undefined: it was killed. */
  readonly counts: Counts | undefined
  readonly endings: readonly Ending[]
  /** When the first request of each message was sent, by its id; in milliseconds since the epoch. */
  readonly dispatched: ReadonlyMap<string, number>
  /** When its sessions with the broker ended before it did; the same. */
  readonly sessionEnds: readonly number[]
  /** Ids of messages of which a copy may have been published without its confirm, once for each time. */
  readonly unconfirmed: readonly { readonly messageId: string; readonly outcome: unknown }[]
}

const DISPATCHED = 'Dispatched.'
const FAILED_COPY = 'Cannot publish the copy of a message; repeated until it succeeds.'
const UNSETTLED = 'Not settled: the broker delivers it again.'
const SESSION_END = 'The session with the broker has ended; opening another.'

/** The lines that tell an end, by how they begin. */
const ENDINGS: Readonly<Record<string, Ending['how']>> = {
  'Executed.': 'counted',
  'The worker answered, and not with success.': 'counted',
  'To be executed again.': 'counted',
  'Dead-lettered.': 'counted',
  'A parked message is settled': 'counted',
  'Acked, and ': 'counted',
  'Not executed, though acked': 'counted',
  'Not executed: ': 'counted',
  'Executed, but its session has ended': 'unsettled',
  [UNSETTLED]: 'unsettled',
  'Parked: ': 'parked',
}

/** @param log all of it, with its lines of the level debug */
export function accountOf(daemonId: string, log: readonly LogLine[]): Account {
  const stopped = log.find(({ message }) => message === 'Stopped.')
  const ends = log.filter(({ message }) => message === SESSION_END)
  const copies = log.filter(
    ({ message, copy_to: copyTo, delay_ms: delayMs, dead_letter_queue: deadLetterQueue }) => {
      const isCopy = [copyTo, delayMs, deadLetterQueue].some((value) => value !== undefined)
      return message === FAILED_COPY || (message === UNSETTLED && isCopy)
    },
  )
  const dispatched = new Map<string, number>()
  for (const line of log) {
    const id = String(line['message_id'])
    if (line.message === DISPATCHED && !dispatched.has(id)) dispatched.set(id, timeOf(line))
  }
  return {
    daemonId,
    counts: stopped as Counts | undefined,
    endings: endingsIn(log),
    dispatched,
    sessionEnds: ends.map(timeOf),
    unconfirmed: copies.map(({ message_id: messageId, outcome }) => ({
      messageId: String(messageId),
      outcome,
    })),
  }
}

function endingsIn(log: readonly LogLine[]): Ending[] {
  const endings = log.flatMap((line) => {
    const how = howOf(line)
    return how === undefined || line['execution_id'] === undefined ? [] : [endingOf(line, how)]
  })
  const others = endings.filter(({ how }) => how !== 'parked').map(({ executionId }) => executionId)
  const ended = new Set(others)
  return endings.filter(({ how, executionId }) => how !== 'parked' || !ended.has(executionId))
}

function howOf({ message, probing }: LogLine): Ending['how'] | undefined {
  if (probing === true) return 'uncounted'
  const found = Object.entries(ENDINGS).find(([beginning]) => message.startsWith(beginning))
  return found?.[1]
}

function endingOf(line: LogLine, how: Ending['how']): Ending {
  const { execution_id: executionId, message_id: messageId, attempt, outcome, status } = line
  return {
    executionId: String(executionId),
    messageId: String(messageId),
    attempt: Number(attempt),
    outcome: outcome as Ending['outcome'],
    how,
    status: typeof status === 'number' ? status : undefined,
  }
}
