import { expect, it } from 'vitest'
import type { BridgeEvent } from '../../../src/bridge/events.ts'
import type { OutcomeCopy } from '../../../src/bridge/facts.ts'
import { Counters } from '../../../src/observe/counters.ts'

const NOTHING = { executed: 0, retry: 0, refused: 0, lost: 0, 'dead-letter': 0, hold: 0 }

const execution = {
  deliveryTag: 1,
  executionId: 'e-1',
  messageId: undefined,
  correlationId: undefined,
  type: undefined,
  attempt: 1,
  durationMs: 1,
}
const reason = 'a reason'
const retry: OutcomeCopy = {
  purpose: 'retry',
  execution,
  outcome: { kind: 'retry', retryAfterMs: 0, reason },
  delayMs: 1,
}
const putBack = { purpose: 'put-back', execution, queue: 'q', reason, subject: undefined } as const

it.each<[string, BridgeEvent, Partial<typeof NOTHING>]>([
  [
    'what is acked',
    { kind: 'settled', by: 'ack', execution, outcome: { kind: 'executed', status: 200 } },
    { executed: 1 },
  ],
  [
    'what is copied',
    {
      kind: 'settled',
      by: 'copy',
      execution,
      outcome: retry.outcome,
      copy: retry,
      copyTo: 'q.retry',
      acked: true,
      parked: undefined,
    },
    { retry: 1 },
  ],
  [
    'not what the broker delivers again',
    { kind: 'unsettled', execution, outcome: { kind: 'executed', status: 200 }, copy: undefined },
    {},
  ],
  [
    'what is lost without an answer',
    { kind: 'lost', why: 'no-answer', execution, diagnosis: { reason } },
    { lost: 1 },
  ],
  ['what is lost with its copy', { kind: 'lost', why: 'not-copied', copy: retry }, { lost: 1 }],
  [
    'what is lost since it was not put back',
    { kind: 'lost', why: 'not-put-back', copy: putBack },
    { lost: 1 },
  ],
  ['what is lost with the process', { kind: 'lost', why: 'abandoned', execution }, { lost: 1 }],
  ['what is given back', { kind: 'held', execution, reason, probing: false }, { hold: 1 }],
  ['not what probed', { kind: 'held', execution, reason, probing: true }, {}],
  ['what is put back into its queue', { kind: 'put-back', copy: putBack }, { hold: 1 }],
])('counts %s', (_, event, counted) => {
  const counters = new Counters()
  counters.count(event)
  expect(counters.counts).toEqual({ ...NOTHING, ...counted })
})
