import { EXECUTION, IDS, type Row } from './samples.ts'

export const REPLIES: readonly Row[] = [
  [
    { kind: 'reply-published', execution: EXECUTION, replyTo: 'answers', bytes: 5 },
    'debug',
    'Replied.',
    { ...IDS, reply_to: 'answers', bytes: 5 },
  ],
  [
    {
      kind: 'reply-failed',
      execution: EXECUTION,
      replyTo: 'answers',
      why: 'unroutable',
      reason: 'there is no such queue',
    },
    'warn',
    'Nobody gets a reply; the message goes on.',
    { ...IDS, reply_to: 'answers', why: 'unroutable', reason: 'there is no such queue' },
  ],
]
