import { meaningOf, replyOf, withRemedy } from './reply.ts'

/**
 * - `UNREACHABLE`: no connection, one that did not answer in time, or a broker that refuses what it may allow later, as for a
 *   node that is down or a limit that is reached.
 * - `TLS_REFUSED`: one side does not accept the other's certificate, or there is no TLS at all; `LOGIN_REFUSED`,
 *   `VHOST_REFUSED`, `QUEUE_MISSING`, `QUEUE_REFUSED`: the broker said no; `QUEUE_UNFIT`: the queue that is there loses messages. It
 *   stays so until somebody changes something.
 * - `UNROUTABLE`, `NOT_CONFIRMED`: a published message that is in no queue for certain, or perhaps.
 * - `INVALID_MESSAGE`: a message whose properties AMQP cannot express; nothing was sent.
 */
export type BrokerErrorCode =
  | 'UNREACHABLE'
  | 'TLS_REFUSED'
  | 'LOGIN_REFUSED'
  | 'VHOST_REFUSED'
  | 'QUEUE_MISSING'
  | 'QUEUE_REFUSED'
  | 'QUEUE_UNFIT'
  | 'UNROUTABLE'
  | 'NOT_CONFIRMED'
  | 'INVALID_MESSAGE'

/** The one error of this folder. Its message is for the operator and names the option to change. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError'
  readonly code: BrokerErrorCode

  constructor(code: BrokerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  /** Trying again is of no use before somebody has changed something. */
  get permanent(): boolean {
    return this.code !== 'UNREACHABLE' && this.code !== 'NOT_CONFIRMED'
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
    timer = setTimeout(() => {
      reject(new BrokerError('UNREACHABLE', `the broker has not answered ${what} for ${milliseconds} ms`))
    }, milliseconds)
  })
  try {
    return await Promise.race([answer, deadline])
  } finally {
    clearTimeout(timer)
  }
}
