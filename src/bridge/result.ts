import type { FastCgiError, FastCgiPhase, FastCgiResponse } from '../fastcgi/client.ts'
import type { OutcomePolicy } from './ports.ts'
import { parseRetryAfter } from './retry.ts'

/** What came of one attempt to have a delivery executed. */
export type Result =
  | { readonly kind: 'unprocessable'; readonly reason: string }
  /** `brokenUploads`: how often this delivery has failed in phase `send` by now. */
  | { readonly kind: 'failed'; readonly error: FastCgiError; readonly brokenUploads: number }
  | { readonly kind: 'answered'; readonly response: FastCgiResponse }

/**
 * Times that one message may break its connection while it is sent. The pool is there, and takes everything but
 * this message, such as a body that its script dies over before it has read it: then it may have run, each time.
 */
const MAX_BROKEN_UPLOADS = 5

/** Before any request: it would fail each time. */
export function isUnprocessable(result: Result): boolean {
  return (
    result.kind === 'unprocessable' || (result.kind === 'failed' && result.error.code === 'INVALID_REQUEST')
  )
}

/** No byte was sent: no connection, or none in time. */
export function isUnsent(result: Result): boolean {
  return failedIn('connect')(result)
}

/**
 * What php-fpm itself answers when it finds no script or may not run it (sapi/fpm/fpm/fpm_main.c, main). The second 404
 * comes from a child that has executed the script before, and has its path in its realpath cache.
 */
const REFUSALS: ReadonlySet<string> = new Set([
  '404 File not found.\n',
  '404 No input file specified.\n',
  '403 Access denied.\n',
])
/** The headers of such an answer; X-Powered-By is there with `expose_php`. */
const REFUSAL_HEADERS: ReadonlySet<string> = new Set(['status', 'content-type', 'x-powered-by'])
/** Longer bodies are none of them. */
const REFUSAL_BYTES = 40

/** Proof that no script ran: endRequest with nothing before it, a protocolStatus that is not 0, or a refusal of php-fpm's own. */
export function ranNothing(result: Result): boolean {
  if (result.kind === 'failed') return ['EMPTY_ANSWER', 'REQUEST_REFUSED'].includes(result.error.code)
  if (result.kind !== 'answered') return false
  const { status, headers, body, bodyTruncated } = result.response
  if (bodyTruncated || body.length > REFUSAL_BYTES || !REFUSALS.has(`${status} ${body.toString('latin1')}`))
    return false
  return [...headers.keys()].every((name) => REFUSAL_HEADERS.has(name))
}

export function breaksEveryUpload(result: Result): boolean {
  return failedIn('send')(result) && result.kind === 'failed' && result.brokenUploads >= MAX_BROKEN_UPLOADS
}

export function failedIn(phase: FastCgiPhase): (result: Result) => boolean {
  return (result) => result.kind === 'failed' && result.error.phase === phase
}

/** Sent whole, or who knows: it may have run. */
export function hasFailed(result: Result): boolean {
  return result.kind === 'failed'
}

export function isMarked(marker: string): (result: Result) => boolean {
  return (result) => markerOf(result) === marker
}

/** A heuristic: a worker can print the same words. With display_errors on nothing else tells a fatal error from success. */
export function hasFatalError(result: Result): boolean {
  return (
    result.kind === 'answered' &&
    /\bPHP (?:Fatal|Parse|Recoverable fatal) error:/.test(result.response.stderr)
  )
}

export function lacksMarker(result: Result, { requireMarker }: OutcomePolicy): boolean {
  return requireMarker && result.kind === 'answered'
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

/** What the worker itself says of the outcome, whatever the status. */
function markerOf(result: Result): string | undefined {
  return result.kind === 'answered'
    ? result.response.headers.get('x-bridge-outcome')?.at(-1)?.toLowerCase()
    : undefined
}

export function statusOf(result: Result): number {
  return result.kind === 'answered' ? result.response.status : Number.NaN
}

export function wantedDelay(result: Result, now: number): number {
  return result.kind === 'answered'
    ? parseRetryAfter(result.response.headers.get('retry-after')?.at(-1), now)
    : 0
}

/** Why it is not success, in one sentence. */
export function describe(result: Result, policy: OutcomePolicy): string {
  if (result.kind === 'unprocessable') return result.reason
  if (result.kind === 'failed') {
    const { message } = result.error
    return breaksEveryUpload(result) ? `${result.brokenUploads} times: ${message}` : message
  }
  const { status, body } = result.response
  if (ranNothing(result)) return `php-fpm runs no script: ${body.toString('latin1').trim()} (--script)`
  const answer = `the worker answered with status ${status}`
  const marker = markerOf(result)
  if (marker !== undefined) return `${answer} and X-Bridge-Outcome: ${marker.slice(0, 100)}`
  if (hasFatalError(result)) return `${answer}, and PHP reported a fatal error`
  if (isSuccess(status) && policy.requireMarker)
    return `${answer} and no X-Bridge-Outcome, which --require-marker asks for`
  return answer
}
