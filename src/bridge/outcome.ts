import type { FastCgiError, FastCgiResponse } from '../fastcgi/client.ts'
import type { AckMode } from './ports.ts'

/** What came of one attempt to have a delivery executed. */
export type Result =
  | { readonly kind: 'unprocessable'; readonly reason: string }
  /** `brokenUploads`: how often this delivery has failed in phase `send` by now. */
  | { readonly kind: 'failed'; readonly error: FastCgiError; readonly brokenUploads: number }
  | { readonly kind: 'answered'; readonly response: FastCgiResponse }

/**
 * What is done about it:
 * - `hold`: nothing ran and nothing was acked; the delivery is kept and tried again;
 * - `executed`: it is acked, if that has not happened when it was dispatched;
 * - `dead-letter`: it goes to the dead-letter queue, then it is acked;
 * - `refused`, `lost`: it was acked when it was dispatched; what came of it is logged and counted.
 *   `refused`: the worker answered with something else than success; `lost`: nobody knows whether it ran.
 */
export type Outcome =
  | { readonly kind: 'hold'; readonly reason: string }
  | { readonly kind: 'executed'; readonly status: number }
  | {
      readonly kind: 'dead-letter'
      readonly reason: string
      readonly status?: number
      readonly stderr?: string
    }
  | { readonly kind: 'refused'; readonly status: number; readonly stderr: string }
  | { readonly kind: 'lost'; readonly reason: string }

/**
 * Times that one message may break its connection while it is sent. The pool is there, and takes everything but
 * this message, such as a body that its script dies over before it has read it: then it may have run, each time.
 */
const MAX_BROKEN_UPLOADS = 5

/** The whole policy. First match wins. */
export function decide(result: Result, ack: AckMode): Outcome {
  switch (result.kind) {
    case 'unprocessable':
      return { kind: 'dead-letter', reason: result.reason }
    case 'failed': {
      const { code, phase, message: reason } = result.error
      if (code === 'INVALID_REQUEST') return { kind: 'dead-letter', reason }
      if (phase === 'send' && result.brokenUploads >= MAX_BROKEN_UPLOADS) {
        return { kind: 'dead-letter', reason: `${result.brokenUploads} times: ${reason}` }
      }
      if (phase !== 'receive') return { kind: 'hold', reason }
      return ack === 'completed' ? { kind: 'dead-letter', reason } : { kind: 'lost', reason }
    }
    case 'answered': {
      const { status, stderr } = result.response
      if (status >= 200 && status < 300) return { kind: 'executed', status }
      if (ack === 'dispatched') return { kind: 'refused', status, stderr }
      return { kind: 'dead-letter', reason: `the worker answered with status ${status}`, status, stderr }
    }
  }
}
