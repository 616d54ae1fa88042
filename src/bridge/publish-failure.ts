import type { CopyForm } from './copy-headers.ts'
import type { ReplyFailure } from './facts.ts'

/*
 * What is to be done about a copy, or a reply, that could not be published, by the code of the error (see Publisher in ports.ts).
 */

/** @returns in what form the copy may be taken after this error; undefined when that is not what is wrong with it */
export function smallerForm(form: CopyForm, error: unknown): CopyForm | undefined {
  if (form.kind === 'bare') return undefined
  switch (codeOf(error)) {
    case 'HEADERS_TOO_LARGE':
      if (form.kind === 'whole') return { kind: 'brief' }
      return form.kind === 'brief' ? { kind: 'cut', by: excessOf(error) } : { kind: 'bare' }
    case 'INVALID_MESSAGE':
    case 'MESSAGE_REFUSED':
      return { kind: 'bare' }
    default:
      return undefined
  }
}

const REFUSALS: readonly string[] = [
  'HEADERS_TOO_LARGE',
  'INVALID_MESSAGE',
  'MESSAGE_REFUSED',
  'BODY_TOO_LARGE',
]

/** Whether that stays so until somebody changes something. */
export function isRefused(error: unknown): boolean {
  return REFUSALS.includes(codeOf(error))
}

/** Whether it is the queue that takes nothing: it is full, or has lost its leader. */
export function isQueueAtFault(error: unknown): boolean {
  return ['NOT_CONFIRMED', 'UNANSWERED'].includes(codeOf(error))
}

/**
 * A queue that does not answer has the broker keep what is published into it, and at last stop reading from that channel.
 *
 * @param certain for when the broker has said that it was one of those that were on their way
 * @returns how many lost connections this is worth
 */
export function mayCutOthers(error: unknown, certain: number): number {
  const code = codeOf(error)
  if (['SUSPECTED', 'MESSAGE_REFUSED', 'BODY_TOO_LARGE', 'UNANSWERED'].includes(code)) return certain
  return code === 'CUT_OFF' ? 1 : 0
}

/** Whether another try may succeed at once: the connection has ended, perhaps over another message. */
export function mayPass(error: unknown): boolean {
  return ['UNREACHABLE', 'CUT_OFF', 'SUSPECTED'].includes(codeOf(error)) && !isForbidden(error)
}

/** Whether the broker has refused it, or another that was on its way. */
export function isSuspected(error: unknown): boolean {
  return codeOf(error) === 'SUSPECTED'
}

const NO_REPLY: Readonly<Record<string, ReplyFailure>> = {
  UNROUTABLE: 'unroutable',
  NOT_CONFIRMED: 'not-taken',
  UNANSWERED: 'not-taken',
  HEADERS_TOO_LARGE: 'refused',
  INVALID_MESSAGE: 'refused',
  MESSAGE_REFUSED: 'refused',
  BODY_TOO_LARGE: 'refused',
}

export function whyNoReply(error: unknown): ReplyFailure {
  return isForbidden(error) ? 'forbidden' : (NO_REPLY[codeOf(error)] ?? 'broker')
}

/** The broker has closed the channel with access-refused (AMQP 0-9-1, section 1.4.1 of the domains). */
function isForbidden(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return codeOf(cause) === '403'
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

function excessOf(error: unknown): number {
  return error instanceof Error && 'excess' in error ? Number(error.excess) : 0
}
