import type { BrokerErrorCode } from './broker-error-code.ts'
import { meaningOf, replyOf, withRemedy } from './reply.ts'

const UNSURE: ReadonlySet<BrokerErrorCode> = new Set(['NOT_CONFIRMED', 'SUSPECTED', 'CUT_OFF', 'UNANSWERED'])
/** What may be over the next time. */
const PASSING: ReadonlySet<BrokerErrorCode> = new Set([...UNSURE, 'UNREACHABLE'])

/** The one error of this folder. Its message is for the operator and names the option to change. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError'
  readonly code: BrokerErrorCode
  /** With HEADERS_TOO_LARGE, by how many bytes. */
  readonly excess: number

  constructor(code: BrokerErrorCode, message: string, options?: ErrorOptions & { readonly excess?: number }) {
    super(message, options)
    this.code = code
    this.excess = options?.excess ?? 0
  }

  /** Whether a message that failed so may be in its queue all the same. */
  get unsure(): boolean {
    return UNSURE.has(this.code)
  }

  /** Trying again is of no use before somebody has changed something. */
  get permanent(): boolean {
    return !PASSING.has(this.code)
  }
}

/** What amqplib threw, as ours: by then the connection is gone or of no more use. */
export function asBrokerError(error: unknown, during: string): BrokerError {
  if (error instanceof BrokerError) return error
  const message = error instanceof Error ? error.message : String(error)
  const reply = replyOf(error)
  const remedy = reply === undefined ? undefined : meaningOf(reply).remedy
  return new BrokerError(
    'UNREACHABLE',
    withRemedy(`the connection failed during ${during}: ${message}`, remedy),
    { cause: error },
  )
}

/** amqplib's words for a connection that has as many channels as the broker allows. */
export function isChannelLimit(error: unknown): boolean {
  return error instanceof Error && error.message === 'No channels left to allocate'
}

export function channelLimit(cause: unknown): BrokerError {
  const message =
    "a connection may have too few channels; raise the broker's channel_max to 32 at least, and by one for each bridge"
  return new BrokerError('CHANNEL_LIMIT', message, { cause })
}

/** Nobody has answered: whether somebody is there is not known. */
class Unanswered extends BrokerError {
  constructor(method: string, milliseconds: number) {
    super('UNREACHABLE', `the broker has not answered ${method} for ${milliseconds} ms`)
  }
}

/** Whether that is why it failed, or why what caused it did. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof Unanswered || (error instanceof Error && isUnanswered(error.cause))
}

/**
 * Bounds the wait for a broker that may never answer: amqplib's promises have no time limit, and a blocked or
 * half-open broker answers nothing.
 *
 * @param milliseconds the longest wait
 * @throws {BrokerError} UNREACHABLE when the time is over
 */
export async function withDeadline<T>(answer: Promise<T>, milliseconds: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Unanswered(what, milliseconds)), milliseconds)
  })
  try {
    return await Promise.race([answer, deadline])
  } finally {
    clearTimeout(timer)
  }
}
