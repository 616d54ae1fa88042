import type { ReplyEvent } from '../../bridge/events.ts'
import { executionFields } from './fields.ts'
import type { Lines } from './line.ts'

/** Answers to messages with a `reply_to`. */
export const REPLY_LINES: Lines<ReplyEvent> = {
  'reply-published': [
    'debug',
    'Replied.',
    ({ execution, replyTo, bytes }) => ({ ...executionFields(execution), reply_to: replyTo, bytes }),
  ],
  'reply-failed': [
    'warn',
    'Nobody gets a reply; the message goes on.',
    ({ execution, replyTo, why, reason }) => ({
      ...executionFields(execution),
      reply_to: replyTo,
      why,
      reason,
    }),
  ],
}
