import type { FastCgiError, FastCgiPhase, FastCgiResponse } from '../fastcgi/types.ts'
import { isRefusal, looksLikeRefusal } from './pool-refusal.ts'
import type { OutcomePolicy } from './ports.ts'
import { parseRetryAfter } from './retry.ts'
import { startupWarningOf } from './startup-warning.ts'

/** What came of one attempt to have a delivery executed. */
export type Result =
  | { readonly kind: 'unprocessable'; readonly reason: string }
  /** `unread`: how often in a row the pool has not read this message whole, this time included. */
  | { readonly kind: 'failed'; readonly error: FastCgiError; readonly unread: number }
  | { readonly kind: 'answered'; readonly response: FastCgiResponse }

/**
 * So often in a row a message may be left unread before that counts. The pool is there, and takes everything but this
 * message: then it is one whose script does not wait for its body, and dies; it has run each time.
 */
export const MAX_UNREAD = 3

/** Before any request: it would fail each time. */
export function isUnprocessable(result: Result): boolean {
  return (
    result.kind === 'unprocessable' || (result.kind === 'failed' && result.error.code === 'INVALID_REQUEST')
  )
}

/** No byte was sent: no connection, or none in time. */
export function isUnsent(result: Result): boolean {
  return hasFailedIn(result, 'connect')
}

/** The script does not speak the message stream. */
export function hasNoHello(result: Result): boolean {
  return result.kind === 'failed' && result.error.code === 'NO_HELLO'
}

/** Proof that no script ran: endRequest with nothing before it, a protocolStatus that is not 0, or a refusal of php-fpm's own. */
export function scriptDidNotRun(result: Result): boolean {
  if (result.kind === 'failed') return ['EMPTY_ANSWER', 'REQUEST_REFUSED'].includes(result.error.code)
  return result.kind === 'answered' && isRefusal(result.response)
}

/** A worker can answer so, too. */
export function looksRefused(result: Result): boolean {
  return result.kind === 'answered' && looksLikeRefusal(result.response)
}

export function isUnreadTooOften(result: Result): boolean {
  return unreadIn(result) >= MAX_UNREAD
}

/** The pool has not read it whole: see FastCgiPhase. */
export function isUnread(result: Result): boolean {
  return hasFailedIn(result, 'unread') || hasFailedIn(result, 'send')
}

function hasFailedIn(result: Result, phase: FastCgiPhase): boolean {
  return result.kind === 'failed' && result.error.phase === phase
}

/** How often in a row the pool has not read it whole, this time included; 0 where it has. */
export function unreadIn(result: Result): number {
  return result.kind === 'failed' && isUnread(result) ? result.unread : 0
}

export function failedIn(phase: FastCgiPhase): (result: Result) => boolean {
  return (result) => hasFailedIn(result, phase)
}

/** A script has answered, or may have begun. */
export function hasBegun(result: Result): boolean {
  return result.kind === 'answered' || hasFailedIn(result, 'receive')
}

/** The pool ended the connection before the answer was complete. */
export function isCutOff(result: Result): boolean {
  return result.kind === 'failed' && result.error.code === 'CONNECTION_LOST'
}

/** Sent whole, or who knows: it may have run. */
export function hasFailed(result: Result): boolean {
  return result.kind === 'failed'
}

export function isMarked(marker: string): (result: Result) => boolean {
  return (result) => markerOf(result) === marker
}

/** What the worker says, and we do not know: it is no success, whatever the status says. */
export function hasUnknownMarker(result: Result): boolean {
  return markerOf(result) !== undefined
}

/**
 * What PHP logs of a fatal error, where a line of the log begins; php-fpm puts `PHP message: ` before each, and `; ` between
 * them. The words alone a worker may log of somebody else's. With display_errors on, nothing else tells a fatal error from
 * success.
 */
const FATAL_ERROR = /(?:^|; |\n)PHP message: PHP (?:Fatal|Parse|Recoverable fatal) error: {2}/

export function hasFatalError(result: Result): boolean {
  return result.kind === 'answered' && FATAL_ERROR.test(result.response.stderr)
}

/** The status is PHP's own, and says nothing of what came of the message: see startupWarningOf. */
export function hasForeignStatus(result: Result): boolean {
  return result.kind === 'answered' && startupWarningOf(result.response) !== undefined
}

/** What PHP warns of at its start when it leaves out fields of a form, or all of them (main/php_variables.c, SAPI.c). */
const DROPPED_FIELDS =
  /(?:^|; |\n)PHP message: PHP Warning: {2}(?:PHP Request Startup: |Unknown: )?(?:POST Content-Length of|Input variables exceeded|Input variable nesting level exceeded) /

/** The script had a part of the form, and may not have noticed. */
export function hasDroppedFields(result: Result): boolean {
  return result.kind === 'answered' && DROPPED_FIELDS.test(result.response.stderr)
}

/** With --require-marker: a script that ended before the worker began, and before it could say anything of the message. */
export function hasNotStarted(result: Result, { requireMarker }: OutcomePolicy): boolean {
  return requireMarker && result.kind === 'answered' && markerOf(result) === undefined
}

export function hasStatus(matches: (status: number) => boolean): (result: Result) => boolean {
  return (result) => result.kind === 'answered' && matches(result.response.status)
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}

/** The worker may answer otherwise next time; so may one that answers with what is no status. */
export function isTemporary(status: number): boolean {
  return [408, 409, 425, 429].includes(status) || !(status >= 200 && status < 500)
}

const MARKERS: ReadonlySet<string> = new Set(['ack', 'retry', 'dead-letter', 'hold'])

/** What the worker itself says of the outcome, whatever the status. */
export function markerOf(result: Result): string | undefined {
  return headerOf(result, 'x-bridge-outcome')?.toLowerCase()
}

export function statusOf(result: Result): number {
  return result.kind === 'answered' ? result.response.status : Number.NaN
}

export function wantedDelay(result: Result, now: number): number {
  return parseRetryAfter(headerOf(result, 'retry-after'), now)
}

/** Characters that a worker may use to name its message. */
const MAX_SUBJECT = 200
const PLAIN = /^[ -~]*$/
const CONTROLS = /\p{Cc}/gu

/** What the worker calls its message, such as the name of a class (X-Bridge-Subject). */
export function subjectOf(result: Result): string | undefined {
  const subject = headerOf(result, 'x-bridge-subject')?.slice(0, MAX_SUBJECT)
  if (subject === undefined || PLAIN.test(subject)) return subject
  // The head of an answer is read as Latin-1, byte for byte.
  return Buffer.from(subject, 'latin1').toString().replace(CONTROLS, '\ufffd')
}

function headerOf(result: Result, name: string): string | undefined {
  return result.kind === 'answered' ? result.response.headers.get(name)?.at(-1) : undefined
}

/** What to look at; the rest php-fpm says on stderr. */
const SCRIPT_HINT = "Is --script its path as php-fpm sees it, and may the pool's user read it?"

/** Why it is not success, in one sentence. */
export function describe(result: Result, policy: OutcomePolicy): string {
  if (result.kind === 'unprocessable') return result.reason
  if (result.kind === 'failed') {
    const { message } = result.error
    return isUnreadTooOften(result) ? `${result.unread} times in a row: ${message}` : message
  }
  const { status, body } = result.response
  if (looksRefused(result)) {
    const said = `${body.toString('latin1').trim()} ${SCRIPT_HINT}`
    return scriptDidNotRun(result)
      ? `php-fpm runs no script: ${said}`
      : `the answer is that of php-fpm for a script that it does not run, without its line on stderr: ${said}`
  }
  const answer = `the worker answered with status ${status}`
  const marker = markerOf(result)
  if (marker !== undefined) {
    const unknown = MARKERS.has(marker) ? '' : `, which is none of ${[...MARKERS].join(', ')}`
    return `${answer} and X-Bridge-Outcome: ${marker.slice(0, 100)}${unknown}`
  }
  const warning = startupWarningOf(result.response)
  if (warning !== undefined && !hasFatalError(result)) {
    return `PHP printed a warning before the script began, so the status is 200 whatever the script says; set php_admin_flag[display_errors] = off in the pool: ${warning}`
  }
  const fatal = hasFatalError(result) ? `${answer}, and PHP reported a fatal error` : answer
  return hasNotStarted(result, policy)
    ? `${fatal}, without the X-Bridge-Outcome that --require-marker asks for: the application did not start`
    : fatal
}
