import type { LogLine } from '../support/bridge-process.ts'
import { inTime } from '../support/eventually.ts'
import { ALL_SLOTS } from './fault-kinds.ts'
import { type Fleet, timeOf } from './fleet.ts'
import type { Journal, JournalLine } from './journal.ts'

/** Repeats a look until it finds something; undefined when that takes a minute: the fault counts as never recovered from. */
const until = <T>(look: () => T | undefined) => inTime(look, { within: 60_000, every: 10 })

/** The last line of the daemon that meets the condition, not before that time. */
function lastLine(
  log: readonly LogLine[],
  from: number,
  meets: (line: LogLine) => boolean,
): LogLine | undefined {
  for (let index = log.length - 1; index >= 0; index -= 1) {
    const line = log[index] as LogLine
    if (timeOf(line) < from) return undefined
    if (meets(line)) return line
  }
  return undefined
}

/** When all the daemons of these slots consume again, each with a session that began at that time or later. */
export function consumingAgain(
  fleet: Fleet,
  from: number,
  slots: readonly number[] = ALL_SLOTS,
): Promise<number | undefined> {
  return until(() => {
    const times = slots.map((slot) => {
      const line = lastLine(fleet.at(slot).process.log, from, ({ message }) => message === 'Consuming.')
      return line && timeOf(line)
    })
    return times.every((time) => time !== undefined) ? Math.max(...times) : undefined
  })
}

/** When the first execution started at that time or later, by one daemon where one is named. */
export function executingAgain(
  journal: Journal,
  from: number,
  daemonId?: string,
): Promise<number | undefined> {
  const isIt = (line: JournalLine) =>
    line.event === 'start' && (daemonId === undefined || line.daemonId === daemonId)
  return until(() => journal.since(from).find(isIt)?.time)
}

/** When the first execution ended well, at that time or later. */
export function completingAgain(journal: Journal, from: number): Promise<number | undefined> {
  return until(() => journal.since(from).find(({ event }) => event === 'done')?.time)
}

/** When a daemon wrote a line about what came of this message, not before that time. */
export function spokenOf(fleet: Fleet, messageId: string, from: number): Promise<number | undefined> {
  return until(() => {
    const isIt = (line: LogLine) => line['message_id'] === messageId && line.level !== 'debug'
    const lines = fleet.current().map(({ process }) => lastLine(process.log, from, isIt))
    const line = lines.find((found) => found !== undefined)
    return line && timeOf(line)
  })
}

/** When an execution of this message, sent at that time, ended well. */
export function executed(journal: Journal, messageId: string, from: number): Promise<number | undefined> {
  const isIt = ({ id, event }: JournalLine) => id === messageId && event === 'done'
  return until(() => journal.since(from).find(isIt)?.time)
}

/** The line about this message, sent at that time, as soon as there is one. */
export function noted(
  journal: Journal,
  messageId: string,
  from: number,
  what: JournalLine['event'],
): Promise<JournalLine | undefined> {
  return until(() => journal.since(from).find(({ id, event }) => id === messageId && event === what))
}
