import { describe, expect, it } from 'vitest'
import { decide } from '../../../src/bridge/outcome.ts'
import type { OutcomePolicy } from '../../../src/bridge/ports.ts'
import type { Result } from '../../../src/bridge/result.ts'
import { answer, connectFailure, connectionLost, fileNotFound, sendFailure } from '../../support/answers.ts'

const COMPLETED: OutcomePolicy = { ack: 'completed', maxAttempts: 3, requireMarker: false }
const DISPATCHED: OutcomePolicy = { ack: 'dispatched', maxAttempts: 1, requireMarker: false }

const answered = (...given: Parameters<typeof answer>): Result => ({
  kind: 'answered',
  response: answer(...given),
})
const decided = (result: Result, policy = COMPLETED, attempt = 1) => decide(result, policy, attempt, 0)

describe('the attempts', () => {
  it.each([
    [1, 'retry'],
    [2, 'retry'],
    [3, 'dead-letter'],
    [4, 'dead-letter'],
  ])('number %i of 3 that fails: %s', (attempt, kind) => {
    expect(decided(answered(500), COMPLETED, attempt).kind).toBe(kind)
    expect(decided({ kind: 'failed', error: connectionLost(), unread: 0 }, COMPLETED, attempt).kind).toBe(
      kind,
    )
  })

  it('used up are the reason that is given, before the last failure', () => {
    expect(decided(answered(503, { stderr: 'busy' }), COMPLETED, 3)).toEqual({
      kind: 'dead-letter',
      cause: 'attempts',
      reason: 'attempt 3 of 3: the worker answered with status 503',
      status: 503,
      stderr: 'busy',
    })
  })

  it('do not matter to what is dead-lettered anyway, nor to success, nor to a hold', () => {
    expect(decided(answered(404), COMPLETED, 3)).toMatchObject({
      kind: 'dead-letter',
      cause: 'rejected',
      reason: 'the worker answered with status 404',
    })
    expect(decided(answered(200), COMPLETED, 3).kind).toBe('executed')
    expect(decided({ kind: 'answered', response: fileNotFound() }, COMPLETED, 3).kind).toBe('hold')
  })

  it('of which there is one are never retried', () => {
    expect(decided(answered(500), { ...COMPLETED, maxAttempts: 1 }).kind).toBe('dead-letter')
  })
})

describe('Retry-After', () => {
  const delayFor = (...values: string[]) =>
    decide(answered(503, { headers: { 'retry-after': values } }), COMPLETED, 1, Date.UTC(2024, 0, 1))

  it.each<[string, string[], number]>([
    ['none', [], 0],
    ['seconds', ['120'], 120_000],
    ['a date', ['Mon, 01 Jan 2024 00:01:00 GMT'], 60_000],
    ['several: the last', ['5', '7'], 7_000],
    ['nonsense', ['soon'], 0],
  ])('%s', (_, values, milliseconds) => {
    expect(delayFor(...values)).toMatchObject({ kind: 'retry', retryAfterMs: milliseconds })
  })

  it('goes with a marker, too', () => {
    const headers = { 'x-bridge-outcome': 'retry', 'retry-after': '9' }
    expect(decided(answered(200, { headers }))).toMatchObject({ kind: 'retry', retryAfterMs: 9_000 })
  })
})

describe('the reason', () => {
  it.each<[string, Result, string]>([
    ['of a status', answered(404), 'the worker answered with status 404'],
    ['of no status', answered(Number.NaN), 'the worker answered with status NaN'],
    [
      'of a marker',
      answered(200, { headers: { 'x-bridge-outcome': 'dead-letter' } }),
      'the worker answered with status 200 and X-Bridge-Outcome: dead-letter',
    ],
    [
      'of a marker that means nothing',
      answered(500, { headers: { 'x-bridge-outcome': 'x'.repeat(9_000) } }),
      `the worker answered with status 500 and X-Bridge-Outcome: ${'x'.repeat(100)}, which is none of ack, retry, dead-letter, hold`,
    ],
    [
      'of a fatal error',
      answered(200, { stderr: 'PHP message: PHP Fatal error:  boom' }),
      'the worker answered with status 200, and PHP reported a fatal error',
    ],
    [
      'of a script that php-fpm does not run',
      { kind: 'answered', response: fileNotFound() },
      "php-fpm runs no script: File not found. Is --script its path as php-fpm sees it, and may the pool's user read it?",
    ],
    ['of no pool', { kind: 'failed', error: connectFailure(), unread: 0 }, 'no socket'],
    ['of a message that is at fault', { kind: 'unprocessable', reason: 'no JSON' }, 'no JSON'],
  ])('%s', (_, result, reason) => {
    expect(decided(result)).toMatchObject({ reason })
  })

  it('of a missing marker names the option', () => {
    expect(decided(answered(204), { ...COMPLETED, requireMarker: true })).toMatchObject({
      reason:
        'the worker answered with status 204, without the X-Bridge-Outcome that --require-marker asks for: the application did not start',
    })
  })

  it('of what is never read counts the times when they were enough', () => {
    const broken = (unread: number) => decided({ kind: 'failed', error: sendFailure(), unread }, DISPATCHED)
    expect(broken(2)).toMatchObject({ kind: 'doubt', reason: 'broken off' })
    expect(broken(3)).toMatchObject({
      kind: 'doubt',
      fault: { kind: 'dead-letter', cause: 'unread', reason: '3 times in a row: broken off' },
    })
  })
})

describe('what the worker calls its message', () => {
  const named = (status: number, subject: string) =>
    decided(answered(status, { headers: { 'x-bridge-subject': ['other', subject] } }))

  it('goes with success and with failure', () => {
    expect(named(200, 'App\\SendInvoice')).toEqual({
      kind: 'executed',
      status: 200,
      subject: 'App\\SendInvoice',
    })
    expect(named(500, 'App\\SendInvoice')).toMatchObject({ kind: 'retry', subject: 'App\\SendInvoice' })
  })

  it('is cut', () => {
    expect(named(200, 'x'.repeat(201))).toMatchObject({ subject: 'x'.repeat(200) })
  })

  it('is UTF-8, and has no control characters', () => {
    const sent = (subject: string) => named(200, Buffer.from(subject).toString('latin1'))
    expect(sent('App\\Größe\u001b[31m')).toMatchObject({ subject: 'App\\Größe\ufffd[31m' })
    expect(sent('App\u0000\u0085')).toMatchObject({ subject: 'App\ufffd\ufffd' })
  })
})

it('tells the status of success, also where the worker insists on it', () => {
  expect(decided(answered(201))).toEqual({ kind: 'executed', status: 201 })
  expect(decided(answered(500, { headers: { 'x-bridge-outcome': 'ack' } }), DISPATCHED)).toEqual({
    kind: 'executed',
    status: 500,
  })
})
