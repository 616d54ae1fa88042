import { setTimeout as sleep } from 'node:timers/promises'
import type { LogLine } from '../support/bridge-process.ts'
import { ALL_SLOTS } from './fault-kinds.ts'
import { type Fleet, timeOf } from './fleet.ts'
import type { Journal } from './journal.ts'

/** Milliseconds between two looks. */
const LOOK = 10

/** Milliseconds after which a fault counts as never recovered from. */
const GIVE_UP = 60_000

/** Repeats a look until it finds a time; undefined when there is none for a minute. */
async function until(look: () => number | undefined): Promise<number | undefined> {
  for (const deadline = Date.now() + GIVE_UP; Date.now() < deadline; await sleep(LOOK)) {
    const found = look()
    if (found !== undefined) return found
  }
  return undefined
}

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
  return until(() => journal.firstStart(from, daemonId)?.time)
}

/** When the first line about this message was written that is a warning or worse, by any daemon. */
export function complainedOf(fleet: Fleet, messageId: string): Promise<number | undefined> {
  const meets = (line: LogLine) => line['messageId'] === messageId && line.level !== 'info'
  return until(() => {
    const lines = fleet.log().filter(meets)
    return lines[0] && timeOf(lines[0])
  })
}

/** When an execution of this message ended well. */
export function executed(journal: Journal, messageId: string): Promise<number | undefined> {
  return until(() => journal.read().findLast(({ id, event }) => id === messageId && event === 'done')?.time)
}

/** The first start of this message, as soon as there is one. */
export async function started(journal: Journal, messageId: string) {
  const isIt = ({ id, event }: { id: string; event: string }) => id === messageId && event === 'start'
  await until(() => journal.read().findLast(isIt)?.time)
  return journal.read().findLast(isIt)
}
