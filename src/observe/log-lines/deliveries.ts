import type { DeliveryEvent, LostEvent } from '../../bridge/events.ts'
import {
  copyFields,
  diagnosisFields,
  executionFields,
  failureFields,
  finishedFields,
  outcomeCopyFields,
} from './fields.ts'
import type { Line, Lines } from './line.ts'

type Settled = Extract<DeliveryEvent, { kind: 'settled' }>
type Unsettled = Extract<DeliveryEvent, { kind: 'unsettled' }>

export const SUCCESS: Line<Settled> = [
  'info',
  'Executed.',
  (event) => finishedFields(event.execution, event.outcome),
]

const SETTLED: Readonly<Record<Settled['outcome']['kind'] | 'parked', Line<Settled>>> = {
  executed: SUCCESS,
  refused: ['warn', 'The worker answered, and not with success.', settledFields],
  retry: ['warn', 'To be executed again.', settledFields],
  'dead-letter': ['warn', 'Dead-lettered.', settledFields],
  parked: [
    'info',
    'A parked message is settled: its copy has been published.',
    (event) => ({
      ...settledFields(event),
      ...(event.by === 'copy' && { copy_to: event.copyTo, parked: event.parked }),
    }),
  ],
}

const UNSETTLED: Readonly<Record<'executed' | 'other', Line<Unsettled>>> = {
  executed: [
    'warn',
    'Executed, but its session has ended: the broker delivers it again.',
    ({ execution, outcome }) => finishedFields(execution, outcome),
  ],
  other: [
    'warn',
    'Not settled: the broker delivers it again.',
    ({ execution, outcome, copy }) =>
      copy === undefined ? failureFields(execution, outcome) : outcomeCopyFields(copy),
  ],
}

const LOST: Readonly<Record<LostEvent['why'], Line<LostEvent>>> = {
  'no-answer': ['error', 'Acked, and no complete answer: nobody knows whether it was executed.', lostFields],
  'not-copied': ['error', 'Acked, and its copy not published in time: lost.', lostFields],
  'not-put-back': ['error', 'Not executed, though acked, and not put back in time: lost.', lostFields],
  abandoned: ['error', 'Acked, and still executing: nobody will know what becomes of it.', lostFields],
}

/** From the broker to the outcome. */
export const DELIVERY_LINES: Lines<DeliveryEvent> = {
  delivered: undefined,
  adopted: [
    'info',
    'Delivered again while it is executed: that execution goes on, and settles it.',
    ({ deliveryTag, messageId }) => ({ delivery_tag: deliveryTag, message_id: messageId }),
  ],
  started: undefined,
  'param-left-out': [
    'warn',
    ({ param, why }) => `${param} is left out: ${why}`,
    ({ execution }) => executionFields(execution),
  ],
  sent: ['debug', 'Dispatched.', ({ execution }) => executionFields(execution)],
  answered: undefined,
  failed: undefined,
  'fields-dropped': [
    'warn',
    'The worker says success, and PHP had dropped fields of its form: raise the limit that stderr names, or take --payload raw.',
    ({ execution, stderr }) => ({ ...executionFields(execution), ...diagnosisFields({ stderr }) }),
  ],
  // Often no more than a notice, and of each message: no warning of ours.
  'stderr-written': [
    'info',
    'The worker says success, and wrote to stderr.',
    ({ execution, stderr }) => ({ ...executionFields(execution), ...diagnosisFields({ stderr }) }),
  ],
  held: [
    'debug',
    'Not executed: it waits, or goes back to the broker.',
    ({ execution, reason, probing }) => ({
      ...executionFields(execution),
      outcome: 'hold',
      probing,
      reason,
    }),
  ],
  settled: (event) =>
    SETTLED[event.by === 'copy' && event.parked !== undefined ? 'parked' : event.outcome.kind],
  unsettled: ({ outcome }) => UNSETTLED[outcome.kind === 'executed' ? 'executed' : 'other'],
  lost: ({ why }) => LOST[why],
}

function settledFields(event: Settled) {
  return event.by === 'copy' ? outcomeCopyFields(event.copy) : failureFields(event.execution, event.outcome)
}

function lostFields(event: LostEvent) {
  switch (event.why) {
    case 'no-answer':
      return failureFields(event.execution, { kind: 'lost', ...event.diagnosis })
    case 'not-copied':
    case 'not-put-back':
      return { ...copyFields(event.copy), outcome: 'lost' }
    case 'abandoned':
      return { ...executionFields(event.execution), outcome: 'lost' }
  }
}
