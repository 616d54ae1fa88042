import type { CopyEvent } from '../../bridge/events.ts'
import type { ParkedSummary } from '../../bridge/facts.ts'
import type { Fields } from '../logger.ts'
import { copyFields } from './fields.ts'
import type { Line, Lines } from './line.ts'

type Failed = Extract<CopyEvent, { kind: 'copy-failed' }>

const FAILED: Line<Failed> = [
  'error',
  'Cannot publish the copy of a message; repeated until it succeeds.',
  ({ copy, copyTo, cause, attempt }) => ({
    ...copyFields(copy),
    copy_to: copyTo,
    cause,
    publish_attempt: attempt,
  }),
]
/** Once for each cause; what lasts is parked, and told of again and again there. */
const FAILED_AGAIN: Line<Failed> = ['debug', FAILED[1], FAILED[2]]

/** Copies on their way to other queues. */
export const COPY_LINES: Lines<CopyEvent> = {
  'put-back': [
    'warn',
    'Not executed, though acked: put back into its queue.',
    ({ copy }) => copyFields(copy),
  ],
  'delivery-count-reset': [
    'warn',
    'Put back into its queue as a new message.',
    ({ copy }) => copyFields(copy),
  ],
  'copy-failed': ({ repeated }) => (repeated ? FAILED_AGAIN : FAILED),
  'headers-left-out': [
    'warn',
    'Headers of the message are left out of its copy.',
    ({ copy, cause }) => ({ ...copyFields(copy), cause }),
  ],
  'queue-passed-over': [
    'warn',
    'Another retry queue takes the copy.',
    ({ copy, passedOver, copyTo }) => ({ ...copyFields(copy), passed_over: passedOver, copy_to: copyTo }),
  ],
  parked: [
    'warn',
    'Parked: the message stays with the broker, unacked, until its copy can be published. It is not executed again.',
    ({ copy, copyTo, cause, parked }) => ({ ...copyFields(copy), copy_to: copyTo, cause, parked }),
  ],
  'parked-again': [
    'info',
    'A parked message is back, and stays parked.',
    ({ copy, copyTo }) => ({ ...copyFields(copy), copy_to: copyTo }),
  ],
  'parking-full': [
    'error',
    'No more messages can be parked; when as many wait as --prefetch allows, no more are taken.',
    ({ copy, copyTo, parked, bytes }) => ({ ...copyFields(copy), copy_to: copyTo, parked, bytes }),
  ],
  'parked-handed-back': [
    'warn',
    'Parked messages are handed back: they will be executed again.',
    ({ summary }) => summaryFields(summary),
  ],
  'still-parked': [
    'error',
    'Messages are still parked: their copies cannot be published.',
    ({ summary, bytes }) => ({ ...summaryFields(summary), bytes }),
  ],
}

function summaryFields({ parked, copyTo, causes, messageIds }: ParkedSummary): Fields {
  return { parked, copy_to: copyTo, causes, message_ids: messageIds }
}
