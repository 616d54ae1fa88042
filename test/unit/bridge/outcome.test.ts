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
  },
})

const failed = (code: FastCgiErrorCode, phase: FastCgiPhase): Result => ({
  kind: 'failed',
  error: new FastCgiError(code, phase, 'what happened'),
})

describe('the outcome table', () => {
  it.each<[string, Result, Outcome]>([
    // The message itself is at fault.
    [
      'a body that is no form',
      { kind: 'unprocessable', reason: 'not JSON' },
      { kind: 'dead-letter', reason: 'not JSON' },
    ],
    // Nothing ran.
    ['no pool', failed('CONNECT_FAILED', 'connect'), { kind: 'hold', reason: 'what happened' }],
    [
      'lost before it was sent whole',
      failed('SEND_FAILED', 'send'),
      { kind: 'hold', reason: 'what happened' },
    ],
    // Sent whole: nobody knows.
    ['lost while it ran', failed('CONNECTION_LOST', 'receive'), { kind: 'lost', reason: 'what happened' }],
    [
      'an answer that is none',
      failed('MALFORMED_ANSWER', 'receive'),
      { kind: 'lost', reason: 'what happened' },
    ],
    // Answered.
    ['200', answered(200), { kind: 'executed', status: 200 }],
    ['204', answered(204), { kind: 'executed', status: 204 }],
    ['299', answered(299), { kind: 'executed', status: 299 }],
    ['199', answered(199), { kind: 'refused', status: 199, stderr: '' }],
    ['300', answered(300), { kind: 'refused', status: 300, stderr: '' }],
    [
      '404',
      answered(404, 'Primary script unknown'),
      { kind: 'refused', status: 404, stderr: 'Primary script unknown' },
    ],
    ['500', answered(500, 'PHP Fatal error'), { kind: 'refused', status: 500, stderr: 'PHP Fatal error' }],
    ['000', answered(0), { kind: 'refused', status: 0, stderr: '' }],
    [
      'a status that cannot be read',
      answered(Number.NaN),
      { kind: 'refused', status: Number.NaN, stderr: '' },
    ],
  ])('%s', (_, result, outcome) => {
    expect(decide(result)).toEqual(outcome)
  })
})
