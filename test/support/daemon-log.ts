import type { LogLine } from './bridge-process.ts'

/** What the daemon says when nothing can be executed, and when that is over. */
export const HOLDING = 'Holding: nothing can be executed. Messages are kept and wait.'
export const HOLD_OVER = 'The hold is over; dispatching.'

type Log = readonly LogLine[]

/** How many lines have this very message. */
export function count(log: Log, message: string): number {
  return log.filter((line) => line.message === message).length
}

/** The outcomes of one message's executions so far, oldest first. */
export function outcomesOf(log: Log, messageId: string): LogLine[] {
  const ends = ['Executed.', 'To be executed again.', 'Dead-lettered.', REFUSED, LOST]
  return log.filter((line) => line['message_id'] === messageId && ends.includes(line.message))
}

const REFUSED = 'The worker answered, and not with success.'
const LOST = 'Acked, and no complete answer: nobody knows whether it was executed.'
