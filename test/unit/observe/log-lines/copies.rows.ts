import type { BridgeEvent } from '../../../../src/bridge/events.ts'
import type { OutcomeCopy, PutBackCopy, ResetCopy } from '../../../../src/bridge/facts.ts'
import { DEAD, DEAD_LETTERED, PUT, PUT_BACK, RESET, RETRIED, RETRY, type Row } from './samples.ts'

const SUMMARY = { parked: 1, copyTo: ['q.dead'], causes: ['closed'], messageIds: ['m-1'] }
const SUMMARY_FIELDS = { parked: 1, copy_to: ['q.dead'], causes: ['closed'], message_ids: ['m-1'] }
const copyFailed = (copy: OutcomeCopy | PutBackCopy | ResetCopy, repeated: boolean): BridgeEvent => ({
  kind: 'copy-failed',
  copy,
  copyTo: 'q.x',
  cause: 'Error: full',
  attempt: 3,
  repeated,
})

export const COPIES: readonly Row[] = [
  [{ kind: 'put-back', copy: PUT_BACK }, 'warn', 'Not executed, though acked: put back into its queue.', PUT],
  [
    { kind: 'delivery-count-reset', copy: RESET },
    'warn',
    'Put back into its queue as a new message.',
    { delivery_tag: 7, message_id: 'm-1', reason: 'it has come back 10 times' },
  ],
  [
    copyFailed(DEAD, false),
    'error',
    'Cannot publish the copy of a message; repeated until it succeeds.',
    { ...DEAD_LETTERED, copy_to: 'q.x', cause: 'Error: full', publish_attempt: 3 },
  ],
  [
    copyFailed(RESET, true),
    'debug',
    'Cannot publish the copy of a message; repeated until it succeeds.',
    {
      delivery_tag: 7,
      message_id: 'm-1',
      reason: 'it has come back 10 times',
      copy_to: 'q.x',
      cause: 'Error: full',
      publish_attempt: 3,
    },
  ],
  [
    { kind: 'headers-left-out', copy: RETRY, cause: 'Error: too large' },
    'warn',
    'Headers of the message are left out of its copy.',
    { ...RETRIED, cause: 'Error: too large' },
  ],
  [
    { kind: 'queue-passed-over', copy: RETRY, passedOver: 'q.1', copyTo: 'q.2' },
    'warn',
    'Another retry queue takes the copy.',
    { ...RETRIED, passed_over: 'q.1', copy_to: 'q.2' },
  ],
  [
    { kind: 'parked', copy: DEAD, copyTo: 'q.dead', cause: 'closed', parked: 1 },
    'warn',
    'Parked: the message stays with the broker, unacked, until its copy can be published. It is not executed again.',
    { ...DEAD_LETTERED, copy_to: 'q.dead', cause: 'closed', parked: 1 },
  ],
  [
    { kind: 'parked-again', copy: DEAD, copyTo: 'q.dead' },
    'info',
    'A parked message is back, and stays parked.',
    { ...DEAD_LETTERED, copy_to: 'q.dead' },
  ],
  [
    { kind: 'parking-full', copy: DEAD, copyTo: 'q.dead', parked: 1_000, bytes: 5 },
    'error',
    'No more messages can be parked; when as many wait as --prefetch allows, no more are taken.',
    { ...DEAD_LETTERED, copy_to: 'q.dead', parked: 1_000, bytes: 5 },
  ],
  [
    { kind: 'parked-handed-back', summary: SUMMARY },
    'warn',
    'Parked messages are handed back: they will be executed again.',
    SUMMARY_FIELDS,
  ],
  [
    { kind: 'still-parked', summary: SUMMARY, bytes: 5 },
    'error',
    'Messages are still parked: their copies cannot be published.',
    { ...SUMMARY_FIELDS, bytes: 5 },
  ],
]
