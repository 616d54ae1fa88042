import { describe, expect, it } from 'vitest'
import { decide, type Outcome, type Result } from '../../../src/bridge/outcome.ts'
import { FastCgiError, type FastCgiErrorCode, type FastCgiPhase } from '../../../src/fastcgi/client.ts'

const answered = (status: number, stderr = ''): Result => ({
  kind: 'answered',
  response: {
    status,
    stderr,
    headers: new Map(),
    body: Buffer.alloc(0),
    bodyTruncated: false,
    stderrTruncated: false,
    appStatus: 0,
    timings: { connect: 0, firstByte: 1, total: 2 },
  },
})

const failed = (code: FastCgiErrorCode, phase: FastCgiPhase, brokenUploads = 0): Result => ({
  kind: 'failed',
  error: new FastCgiError(code, phase, 'what happened'),
  brokenUploads,
})

const reason = 'what happened'
const hold: Outcome = { kind: 'hold', reason }
const lost: Outcome = { kind: 'lost', reason }
const given: Outcome = { kind: 'dead-letter', reason }
const executed = (status: number): Outcome => ({ kind: 'executed', status })
const refused = (status: number, stderr = ''): Outcome => ({ kind: 'refused', status, stderr })
const deadLetter = (status: number, stderr = ''): Outcome => ({
  kind: 'dead-letter',
  reason: `the worker answered with status ${status}`,
  status,
  stderr,
})

describe('the outcome table', () => {
  it.each<[string, Result, { dispatched: Outcome; completed: Outcome }]>([
    // The message itself is at fault.
    ['a body that is no form', { kind: 'unprocessable', reason }, { dispatched: given, completed: given }],
    [
      'a param that fits nowhere',
      failed('INVALID_REQUEST', 'connect'),
      { dispatched: given, completed: given },
    ],
    // Nothing ran.
    ['no pool', failed('CONNECT_FAILED', 'connect'), { dispatched: hold, completed: hold }],
    ['no connection in time', failed('TIMEOUT', 'connect'), { dispatched: hold, completed: hold }],
    ['lost before it was sent whole', failed('SEND_FAILED', 'send'), { dispatched: hold, completed: hold }],
    [
      'the same message for the fourth time',
      failed('SEND_FAILED', 'send', 4),
      { dispatched: hold, completed: hold },
    ],
    [
      'and for the fifth',
      failed('SEND_FAILED', 'send', 5),
      {
        dispatched: { kind: 'dead-letter', reason: '5 times: what happened' },
        completed: { kind: 'dead-letter', reason: '5 times: what happened' },
      },
    ],
    // Sent whole: nobody knows.
    ['lost while it ran', failed('CONNECTION_LOST', 'receive'), { dispatched: lost, completed: given }],
    ['no answer in time', failed('TIMEOUT', 'receive'), { dispatched: lost, completed: given }],
    ['an answer that is none', failed('MALFORMED_ANSWER', 'receive'), { dispatched: lost, completed: given }],
    // Answered.
    ['200', answered(200), { dispatched: executed(200), completed: executed(200) }],
    ['204', answered(204), { dispatched: executed(204), completed: executed(204) }],
    ['299', answered(299), { dispatched: executed(299), completed: executed(299) }],
    ['199', answered(199), { dispatched: refused(199), completed: deadLetter(199) }],
    ['300', answered(300), { dispatched: refused(300), completed: deadLetter(300) }],
    [
      '404',
      answered(404, 'unknown'),
      { dispatched: refused(404, 'unknown'), completed: deadLetter(404, 'unknown') },
    ],
    [
      '500',
      answered(500, 'PHP Fatal'),
      { dispatched: refused(500, 'PHP Fatal'), completed: deadLetter(500, 'PHP Fatal') },
    ],
    ['000', answered(0), { dispatched: refused(0), completed: deadLetter(0) }],
    [
      'an unreadable status',
      answered(Number.NaN),
      { dispatched: refused(Number.NaN), completed: deadLetter(Number.NaN) },
    ],
  ])('%s', (_, result, outcomes) => {
    expect(decide(result, 'dispatched')).toEqual(outcomes.dispatched)
    expect(decide(result, 'completed')).toEqual(outcomes.completed)
  })
})
