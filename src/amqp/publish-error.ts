import { BrokerError } from './broker-error.ts'
import type { BrokerErrorCode } from './broker-error-code.ts'

/**
 * What a broker says of a message that it will never take, by its reply code (AMQP 0-9-1, section 1.4.1 of the domains):
 * content-too-large, precondition-failed (a body beyond max_message_size), frame-error, syntax-error, unexpected-frame,
 * internal-error. All others are about the user, or the queue, or the broker itself.
 */
const MESSAGE_AT_FAULT: ReadonlySet<number> = new Set([311, 406, 501, 502, 505, 541])

/** Why the broker has closed a channel or its connection, and how many messages were on their way then. */
export interface Refusal {
  readonly error: Error
  readonly suspects: number
}

/** @param error amqplib's, which says no more than that the message was refused, or the channel has closed */
export function whyUnconfirmed(refusal: Refusal | undefined, error: Error, queue: string): BrokerError {
  const cause = refusal?.error ?? error
  const code = 'code' in cause ? Number(cause.code) : Number.NaN
  const [kind, text] = MESSAGE_AT_FAULT.has(code)
    ? faultOf(cause, refusal?.suspects === 1)
    : causeOf(cause, queue)
  return new BrokerError(kind, `${text}: ${cause.message}${remedy(cause.message)}`, { cause })
}

type Kind = readonly [code: BrokerErrorCode, text: string]

function faultOf({ message }: Error, certain: boolean): Kind {
  if (!certain) return ['SUSPECTED', 'the broker has refused one of several messages']
  return [
    TOO_LARGE.test(message) ? 'BODY_TOO_LARGE' : 'MESSAGE_REFUSED',
    'the broker does not take the message',
  ]
}

function causeOf({ message }: Error, queue: string): Kind {
  // amqplib's words for basic.nack.
  return message === 'message nacked'
    ? [
        'NOT_CONFIRMED',
        `queue "${queue}" does not take the message: it is full, or a quorum queue without a leader`,
      ]
    : ['CUT_OFF', 'the broker has not confirmed the message']
}

const TOO_LARGE = /message size .* larger than/

/** What the operator can do about it, for what RabbitMQ says most. */
const REMEDIES: readonly (readonly [what: RegExp, remedy: string])[] = [
  [
    /message size .* larger than/,
    "; raise the broker's max_message_size, or take the message out of its queue",
  ],
  [
    /ACCESS.REFUSED/,
    '; let the user write to the default exchange (amq.default): rabbitmqctl set_permissions',
  ],
]

function remedy(text: string): string {
  return REMEDIES.find(([what]) => what.test(text))?.[1] ?? ''
}

export function invalid(cause: unknown): BrokerError {
  const message = `AMQP cannot express the message's properties: ${String(cause)}`
  return new BrokerError('INVALID_MESSAGE', message, { cause })
}

export function unroutable(queue: string): BrokerError {
  return new BrokerError('UNROUTABLE', `no queue "${queue}" took the message; it was returned`)
}

export function unanswered(queue: string, milliseconds: number): BrokerError {
  const message = `queue "${queue}" has not confirmed the message within ${milliseconds} ms; ${leaderless(queue)}`
  return new BrokerError('UNANSWERED', message)
}

/** What is wrong with a queue that does not answer, and what to do about it. */
export function leaderless(queue: string): string {
  return `it may have no leader: a node is missing, or the broker was killed when the queue was young. If it stays so, delete it (rabbitmqctl delete_queue ${queue}), with what is in it; it is declared again`
}

/** Whether the broker has closed the channel since the user may not publish. */
export function isForbidden({ cause }: BrokerError): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 403
}

export function forbidden(cause: BrokerError): BrokerError {
  const message = `retries and dead letters cannot be published: ${cause.message}`
  return new BrokerError('PUBLISH_REFUSED', message, { cause })
}
