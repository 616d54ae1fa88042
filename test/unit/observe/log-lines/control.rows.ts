import type { Row } from './samples.ts'

const NOTE = { by: 'ops', at: 'then', reason: 'a migration', until: 'later' }
const MESSAGE = { deliveryTag: 1, messageId: 'm-1', replyTo: 'r', refusal: undefined }

export const CONTROL: readonly Row[] = [
  [
    { kind: 'pause-began', cause: { kind: 'queue', note: NOTE } },
    'warn',
    'Paused. What is in flight goes on; everything else waits in the queue.',
    NOTE,
  ],
  [
    { kind: 'pause-began', cause: { kind: 'drain' } },
    'warn',
    'Told to drain: what is in flight goes on, and no more is taken until somebody says resume.',
    {},
  ],
  [
    { kind: 'pause-changed', cause: { kind: 'queue', note: NOTE } },
    'info',
    'Still paused; its marker says something else.',
    NOTE,
  ],
  [
    { kind: 'pause-over', cause: 'queue', stillPaused: false },
    'info',
    'Resumed: the queue is not paused any more.',
    {},
  ],
  [
    { kind: 'pause-over', cause: 'drain', stillPaused: true },
    'info',
    'Told to resume.',
    { still_paused: true },
  ],
  [
    { kind: 'control-open', broker: 'amqp://b', exchange: 'fpm-bridge' },
    'info',
    'Listening for commands.',
    { broker: 'amqp://b', exchange: 'fpm-bridge' },
  ],
  [
    { kind: 'control-refused', reason: 'r' },
    'warn',
    'No commands come by the exchange; all else works. Tried again each minute.',
    { reason: 'r' },
  ],
  [
    { kind: 'answers-refused', reason: 'r' },
    'warn',
    'Nobody gets answers to commands, which are obeyed all the same.',
    { reason: 'r' },
  ],
  [{ kind: 'commanded', verb: 'drain', queue: 'q' }, 'debug', 'Commanded: drain.', { queue: 'q' }],
  [
    { kind: 'command-ignored', reason: 'r', count: 1 },
    'warn',
    'Ignored what is no command.',
    { reason: 'r' },
  ],
  [
    { kind: 'command-ignored', reason: 'r', count: 7 },
    'warn',
    'Ignored what is no command.',
    { reason: 'r', count: 7 },
  ],
  [
    { kind: 'control-message', verb: 'ping', ...MESSAGE },
    'debug',
    'Answered a ping in the queue.',
    { delivery_tag: 1, message_id: 'm-1', reply_to: 'r', refusal: undefined },
  ],
  [
    { kind: 'control-message', verb: 'shutdown', ...MESSAGE },
    'info',
    'A message in the queue tells this process to end.',
    { delivery_tag: 1, message_id: 'm-1', reply_to: 'r', refusal: undefined },
  ],
  [
    { kind: 'pause-unknown', reason: 'r' },
    'warn',
    'Cannot look for the marker of a pause, or take it away; going on as if there were none.',
    { reason: 'r' },
  ],
  [
    { kind: 'answer-failed', replyTo: 'answers', reason: 'r' },
    'debug',
    'Nobody gets an answer to a ping.',
    { reply_to: 'answers', reason: 'r' },
  ],
]
