import type { FastCgiError, FastCgiResponse } from '../fastcgi/client.ts'

/** What came of one attempt to have a delivery executed. */
export type Result =
  | { readonly kind: 'unprocessable'; readonly reason: string }
  | { readonly kind: 'failed'; readonly error: FastCgiError }
  | { readonly kind: 'answered'; readonly response: FastCgiResponse }

/**
 * What is done about it:
 * - `hold`: nothing ran and nothing was acked; the delivery is kept and tried again;
 * - `dead-letter`: it goes to the dead-letter queue, then it is acked;
 * - `executed`, `refused`, `lost`: it was acked when it was dispatched; what came of it is logged and counted.
 *   `refused`: the worker answered with something else than success; `lost`: nobody knows whether it ran.
 */
export type Outcome =
  | { readonly kind: 'hold'; readonly reason: string }
  | { readonly kind: 'dead-letter'; readonly reason: string }
  | { readonly kind: 'executed'; readonly status: number }
  | { readonly kind: 'refused'; readonly status: number; readonly stderr: string }
  | { readonly kind: 'lost'; readonly reason: string }

/** The whole policy. First match wins. */
export function decide(result: Result): Outcome {
  switch (result.kind) {
    case 'unprocessable':
      return { kind: 'dead-letter', reason: result.reason }
    case 'failed':
      return result.error.phase === 'receive'
        ? { kind: 'lost', reason: result.error.message }
        : { kind: 'hold', reason: result.error.message }
    case 'answered': {
      const { status, stderr } = result.response
      return status >= 200 && status < 300
        ? { kind: 'executed', status }
        : { kind: 'refused', status, stderr }
    }
  }
}
