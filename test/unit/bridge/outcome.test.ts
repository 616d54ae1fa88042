import { describe, expect, it } from 'vitest'
import { decide } from '../../../src/bridge/outcome.ts'
import type { AckMode, OutcomePolicy } from '../../../src/bridge/ports.ts'
import type { Result } from '../../../src/bridge/result.ts'
import type { FastCgiErrorCode, FastCgiPhase, FastCgiResponse } from '../../../src/fastcgi/types.ts'
import { answer, failure, refusal } from '../../support/answers.ts'

const answered = (response: FastCgiResponse): Result => ({ kind: 'answered', response })
const status = (code: number): Result => answered(answer(code))
const marked = (code: number, ...marker: string[]): Result =>
  answered(answer(code, { headers: { 'x-bridge-outcome': marker } }))
const said = (code: number, stderr: string, marker: readonly string[] = []): Result =>
  answered(answer(code, { stderr, headers: { 'x-bridge-outcome': marker } }))
const printed = (code: number, body: string): Result => answered(answer(code, { body }))
const php = (...given: Parameters<typeof refusal>): Result => answered(refusal(...given))
const failed = (code: FastCgiErrorCode, phase: FastCgiPhase, unread = 0): Result => ({
  kind: 'failed',
  error: failure(code, phase, 'what happened'),
  unread,
})
const unknownError: Result = {
  kind: 'failed',
  error: new TypeError('a fault of the client') as never,
  unread: 0,
}
const unprocessable: Result = { kind: 'unprocessable', reason: 'no JSON' }

const FATAL = 'PHP message: PHP Fatal error:  Uncaught Exception: boom in /srv/app/worker.php:3'

const STARTUP =
  'PHP Request Startup: POST Content-Length of 3011 bytes exceeds the limit of 1024 bytes in Unknown'

const UNKNOWN = 'Primary script unknown'
const GONE =
  'PHP message: PHP Warning:  PHP Request Startup: Failed to open stream: No such file or directory in Unknown on line 0; Unable to open primary script: /srv/app/worker.php (No such file or directory)'
const DENIED = "Access to the script '/srv/a.txt' has been denied (see security.limit_extensions)"

/**
 * The outcome of a first attempt of several; of a hold also what can find out that it is over; of a doubt, and of what a worker
 * calls a hold, what becomes of a message that is at fault itself.
 */
function outcomeOf(result: Result, ack: AckMode, given: Partial<OutcomePolicy> = {}): string {
  const policy = { ack, maxAttempts: 3, requireMarker: false, ...given }
  const outcome = decide(result, policy, 1, 0)
  const fault = 'fault' in outcome && outcome.fault !== undefined ? ` or ${outcome.fault.kind}` : ''
  if (outcome.kind === 'doubt') return `doubt${fault || ' or again'}`
  return outcome.kind === 'hold' ? `hold: ${outcome.probe}${fault}` : outcome.kind
}

type Row = readonly [what: string, result: Result, completed: string, dispatched: string]

const TABLE: readonly Row[] = [
  // The message itself is at fault.
  ['a body that is no form', unprocessable, 'dead-letter', 'dead-letter'],
  ['a param that fits into no record', failed('INVALID_REQUEST', 'connect'), 'dead-letter', 'dead-letter'],
  // No byte was sent.
  ['no pool', failed('CONNECT_FAILED', 'connect'), 'hold: connect', 'hold: connect'],
  ['no connection in time', failed('TIMEOUT', 'connect'), 'hold: connect', 'hold: connect'],
  ['cancelled before a connection', failed('CANCELLED', 'connect'), 'hold: connect', 'hold: connect'],
  // Sent, and proof that nothing ran.
  [
    'endRequest with nothing before it',
    failed('EMPTY_ANSWER', 'receive'),
    'hold: delivery',
    'hold: delivery',
  ],
  ['a protocolStatus', failed('REQUEST_REFUSED', 'receive'), 'hold: delivery', 'hold: delivery'],
  ['the same during the upload', failed('REQUEST_REFUSED', 'send'), 'hold: delivery', 'hold: delivery'],
  ['no script', php(404, 'File not found.\n', { stderr: UNKNOWN }), 'hold: delivery', 'hold: delivery'],
  [
    'no script any more',
    php(404, 'No input file specified.\n', { stderr: GONE }),
    'hold: delivery',
    'hold: delivery',
  ],
  [
    'no right to run it',
    php(403, 'Access denied.\n', { stderr: DENIED }),
    'hold: delivery',
    'hold: delivery',
  ],
  [
    'the same with expose_php',
    php(403, 'Access denied.\n', { stderr: DENIED, headers: { 'x-powered-by': 'PHP/8.2' } }),
    'hold: delivery',
    'hold: delivery',
  ],
  // The same without what FPM logs of it: a worker can answer so, too.
  ['no line of no script', php(404, 'File not found.\n'), 'doubt or retry', 'doubt or refused'],
  [
    'no line of no script any more',
    php(404, 'No input file specified.\n'),
    'doubt or retry',
    'doubt or refused',
  ],
  ['no line of no right', php(403, 'Access denied.\n'), 'doubt or retry', 'doubt or refused'],
  [
    'a worker that logs the line',
    php(404, 'File not found.\n', { stderr: `PHP message: ${UNKNOWN}` }),
    'doubt or retry',
    'doubt or refused',
  ],
  // A script that answers almost the same.
  ['no line end', php(404, 'File not found.'), 'dead-letter', 'refused'],
  ['two line ends', php(404, 'File not found.\n\n'), 'dead-letter', 'refused'],
  ['another line end', php(404, 'File not found.\r\n'), 'dead-letter', 'refused'],
  ['lower case', php(404, 'file not found.\n'), 'dead-letter', 'refused'],
  ['a space before it', php(404, ' File not found.\n'), 'dead-letter', 'refused'],
  ['more after it', php(404, `File not found.\n${'x'.repeat(100)}`), 'dead-letter', 'refused'],
  ['no body', php(404, ''), 'dead-letter', 'refused'],
  ['the body of the other status', php(403, 'File not found.\n'), 'dead-letter', 'refused'],
  ['the other way round', php(404, 'Access denied.\n'), 'dead-letter', 'refused'],
  ['the body with success', php(200, 'File not found.\n'), 'executed', 'executed'],
  ['the body with 410', php(410, 'File not found.\n'), 'dead-letter', 'refused'],
  ['the body with 500', php(500, 'File not found.\n'), 'retry', 'refused'],
  ['one more header', php(404, 'File not found.\n', { headers: { 'x-a': '' } }), 'dead-letter', 'refused'],
  ['a beginning', php(404, 'File not found.\n', { bodyTruncated: true }), 'dead-letter', 'refused'],
  [
    'a marker',
    php(404, 'File not found.\n', { headers: { 'x-bridge-outcome': 'ack' } }),
    'executed',
    'executed',
  ],
  // Not sent whole: it may have run, but was not acked.
  ['lost while it was sent', failed('SEND_FAILED', 'send', 1), 'retry', 'doubt or again'],
  ['too slow to take it', failed('TIMEOUT', 'send', 1), 'retry', 'doubt or again'],
  ['broken for the second time', failed('SEND_FAILED', 'send', 2), 'retry', 'doubt or again'],
  ['and for the third', failed('SEND_FAILED', 'send', 3), 'doubt or retry', 'doubt or dead-letter'],
  ['and for the fourth', failed('SEND_FAILED', 'send', 4), 'doubt or retry', 'doubt or dead-letter'],
  // Left unread: it has not run, if it is not the message's own doing each time.
  ['not read', failed('NOT_READ', 'unread', 1), 'doubt or again', 'doubt or again'],
  ['not read for the second time', failed('NOT_READ', 'unread', 2), 'doubt or again', 'doubt or again'],
  ['and for the third', failed('NOT_READ', 'unread', 3), 'doubt or retry', 'doubt or dead-letter'],
  ['no FastCGI', failed('NO_FASTCGI', 'connect'), 'hold: connect', 'hold: connect'],
  ['five times, and now no pool', failed('CONNECT_FAILED', 'connect', 5), 'hold: connect', 'hold: connect'],
  // Sent whole: nobody knows.
  ['lost while it ran', failed('CONNECTION_LOST', 'receive'), 'retry', 'lost'],
  ['lost after five broken uploads', failed('CONNECTION_LOST', 'receive', 5), 'retry', 'lost'],
  ['no answer in time', failed('TIMEOUT', 'receive'), 'retry', 'lost'],
  ['cancelled', failed('CANCELLED', 'receive'), 'retry', 'lost'],
  ['an answer that is none', failed('MALFORMED_ANSWER', 'receive'), 'retry', 'lost'],
  ['an error that tells no phase', unknownError, 'retry', 'lost'],
  // What the worker says of itself, whatever the status.
  ['ack with 200', marked(200, 'ack'), 'executed', 'executed'],
  ['ack with 500', marked(500, 'ack'), 'executed', 'executed'],
  ['ack with no status', marked(Number.NaN, 'ack'), 'executed', 'executed'],
  ['ack and a fatal error', said(200, FATAL, ['ack']), 'executed', 'executed'],
  ['retry with 200', marked(200, 'retry'), 'retry', 'refused'],
  ['retry with 404', marked(404, 'retry'), 'retry', 'refused'],
  ['dead-letter with 200', marked(200, 'dead-letter'), 'dead-letter', 'refused'],
  ['dead-letter with 503', marked(503, 'dead-letter'), 'dead-letter', 'refused'],
  ['dead-letter and a fatal error', said(500, FATAL, ['dead-letter']), 'dead-letter', 'refused'],
  ['several, the last of them counts', marked(200, 'ack', 'dead-letter'), 'dead-letter', 'refused'],
  ['several, the last is ack', marked(500, 'retry', 'ack'), 'executed', 'executed'],
  ['upper case', marked(200, 'Dead-Letter'), 'dead-letter', 'refused'],
  ['an unknown one with 200', marked(200, 'reject'), 'retry', 'refused'],
  ['an unknown one with 500', marked(500, 'acknowledge'), 'retry', 'refused'],
  ['two in one line', marked(404, 'ack, ack'), 'retry', 'refused'],
  ['an empty one', marked(404, ''), 'retry', 'refused'],
  ['hold with 200', marked(200, 'hold'), 'hold: delivery or retry', 'hold: delivery or refused'],
  ['hold with 503', marked(503, 'Hold'), 'hold: delivery or retry', 'hold: delivery or refused'],
  // A fatal error that display_errors turned into a success.
  ['a fatal error', said(200, FATAL), 'retry', 'refused'],
  ['a parse error', said(200, 'PHP message: PHP Parse error:  syntax error'), 'retry', 'refused'],
  ['a recoverable one', said(200, 'PHP message: PHP Recoverable fatal error:  x'), 'retry', 'refused'],
  ['one among other lines', said(404, `a\nPHP Warning:  b\n${FATAL}\n`), 'retry', 'refused'],
  ['one behind another message', said(200, `PHP message: first; ${FATAL}`), 'retry', 'refused'],
  [
    'one that a worker logs of another',
    said(200, `PHP message: Processing ${FATAL.slice(13)}`),
    'executed',
    'executed',
  ],
  ['words of a publisher', said(200, 'PHP message: PHP Fatal error: x'), 'executed', 'executed'],
  ['a warning', said(200, 'PHP message: PHP Warning:  Undefined variable $x'), 'executed', 'executed'],
  ['words that are not the log line', said(200, 'fatal error: I gave up'), 'executed', 'executed'],
  ['a longer word', said(200, 'MYPHP Fatal error: x'), 'executed', 'executed'],
  // A warning that came before the script, and made the status what it is.
  ['a warning at the start', printed(200, `<br />\n<b>Warning</b>:  ${STARTUP}`), 'retry', 'refused'],
  ['one in plain text', printed(200, `\nWarning: ${STARTUP}`), 'retry', 'refused'],
  ['one that a worker quotes', printed(200, `It said: ${STARTUP}`), 'executed', 'executed'],
  [
    'a warning of the script itself',
    printed(200, '\nWarning: Undefined variable $x'),
    'executed',
    'executed',
  ],
  // The status.
  ['199', status(199), 'retry', 'refused'],
  ['200', status(200), 'executed', 'executed'],
  ['204', status(204), 'executed', 'executed'],
  ['299', status(299), 'executed', 'executed'],
  ['300', status(300), 'dead-letter', 'refused'],
  ['302', status(302), 'dead-letter', 'refused'],
  ['400', status(400), 'dead-letter', 'refused'],
  ['403 of a script', status(403), 'dead-letter', 'refused'],
  ['404 of a script', status(404), 'dead-letter', 'refused'],
  ['407', status(407), 'dead-letter', 'refused'],
  ['408', status(408), 'retry', 'refused'],
  ['409', status(409), 'retry', 'refused'],
  ['410', status(410), 'dead-letter', 'refused'],
  ['425', status(425), 'retry', 'refused'],
  ['426', status(426), 'dead-letter', 'refused'],
  ['429', status(429), 'retry', 'refused'],
  ['499', status(499), 'dead-letter', 'refused'],
  ['500', status(500), 'retry', 'refused'],
  ['503', status(503), 'retry', 'refused'],
  ['599', status(599), 'retry', 'refused'],
  ['600', status(600), 'retry', 'refused'],
  ['999', status(999), 'retry', 'refused'],
  ['000', status(0), 'retry', 'refused'],
  ['a status that cannot be read', status(Number.NaN), 'retry', 'refused'],
]

describe('the outcome table', () => {
  it.each(TABLE)('%s', (_, result, completed, dispatched) => {
    expect([outcomeOf(result, 'completed'), outcomeOf(result, 'dispatched')]).toEqual([completed, dispatched])
  })
})

/** Where success needs the marker, these are different. */
const STRICT: readonly (readonly [what: string, result: Result, completed: string])[] = [
  ['no marker with 200', status(200), 'doubt or retry'],
  ['no marker with 404', status(404), 'doubt or retry'],
  ['no marker and a fatal error', said(500, FATAL), 'doubt or retry'],
  ['a marker and a fatal error', said(500, FATAL, ['retry']), 'retry'],
  ['an unknown marker', marked(200, 'done'), 'retry'],
  ['the marker', marked(200, 'ack'), 'executed'],
  ['the marker with 404', marked(404, 'ack'), 'executed'],
  ['dead-letter', marked(200, 'dead-letter'), 'dead-letter'],
  ['proof that nothing ran', php(404, 'File not found.\n', { stderr: UNKNOWN }), 'hold: delivery'],
  ['no pool', failed('CONNECT_FAILED', 'connect'), 'hold: connect'],
  ['a body that is no form', unprocessable, 'dead-letter'],
]

describe('with --require-marker', () => {
  it.each(STRICT)('%s', (_, result, completed) => {
    expect(outcomeOf(result, 'completed', { requireMarker: true })).toBe(completed)
  })
})
