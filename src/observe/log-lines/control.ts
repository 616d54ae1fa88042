import type { ControlEvent, PauseEvent } from '../../bridge/events.ts'
import type { PauseCause } from '../../bridge/facts.ts'
import type { Fields } from '../logger.ts'
import { type Line, type Lines, NO_FIELDS } from './line.ts'

type Began = Extract<PauseEvent, { kind: 'pause-began' }>
type Over = Extract<PauseEvent, { kind: 'pause-over' }>

const BEGAN: Readonly<Record<PauseCause['kind'], Line<Began>>> = {
  queue: [
    'warn',
    'Paused. What is in flight goes on; everything else waits in the queue.',
    ({ cause }) => noteFields(cause),
  ],
  drain: [
    'warn',
    'Told to drain: what is in flight goes on, and no more is taken until somebody says resume.',
    NO_FIELDS,
  ],
}

const OVER: Readonly<Record<PauseCause['kind'], Line<Over>>> = {
  queue: ['info', 'Resumed: the queue is not paused any more.', overFields],
  drain: ['info', 'Told to resume.', overFields],
}

/** What operators tell a daemon by way of the broker. */
export const CONTROL_LINES: Lines<PauseEvent | ControlEvent> = {
  'pause-began': ({ cause }) => BEGAN[cause.kind],
  'pause-changed': [
    'info',
    'Still paused; its marker says something else.',
    ({ cause }) => noteFields(cause),
  ],
  'pause-over': ({ cause }) => OVER[cause],
  'pause-unknown': [
    'warn',
    'Cannot look for the marker of a pause, or take it away; going on as if there were none.',
    ({ reason }) => ({ reason }),
  ],
  'control-open': ['info', 'Listening for commands.', ({ broker, exchange }) => ({ broker, exchange })],
  'control-refused': [
    'warn',
    'No commands come by the exchange; all else works. Tried again each minute.',
    ({ reason }) => ({ reason }),
  ],
  'answers-refused': [
    'warn',
    'Nobody gets answers to commands, which are obeyed all the same.',
    ({ reason }) => ({ reason }),
  ],
  'answer-failed': [
    'debug',
    'Nobody gets an answer to a ping.',
    ({ replyTo, reason }) => ({ reply_to: replyTo, reason }),
  ],
  commanded: ['debug', ({ verb }) => `Commanded: ${verb}.`, ({ queue }) => ({ queue })],
  'command-ignored': [
    'warn',
    'Ignored what is no command.',
    ({ reason, count }) => ({ reason, ...(count > 1 && { count }) }),
  ],
  'control-message': ({ verb }) => CONTROL_MESSAGES[verb],
}

type ControlMessage = Extract<ControlEvent, { kind: 'control-message' }>

const CONTROL_MESSAGES: Readonly<Record<ControlMessage['verb'], Line<ControlMessage>>> = {
  ping: ['debug', 'Answered a ping in the queue.', messageFields],
  shutdown: ['info', 'A message in the queue tells this process to end.', messageFields],
}

function messageFields({ deliveryTag, messageId, replyTo, refusal }: ControlMessage): Fields {
  return { delivery_tag: deliveryTag, message_id: messageId, reply_to: replyTo, refusal }
}

function noteFields(cause: PauseCause): Fields {
  if (cause.kind !== 'queue') return {}
  const { by, at, reason, until } = cause.note
  return { by, at, reason, until }
}

function overFields({ stillPaused }: Over): Fields {
  return stillPaused ? { still_paused: true } : {}
}
