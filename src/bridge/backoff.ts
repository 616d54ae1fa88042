/** A doubling delay between its bounds, in milliseconds. */
export interface BackoffRange {
  readonly min: number
  readonly max: number
}

/**
 * How long to wait before try number `attempt` (from 1) is repeated: doubling from `min` to `max`, of which a
 * random half is taken off, so that many daemons that lost the same thing do not all come back at once.
 *
 * @returns milliseconds
 */
export function backoff(attempt: number, { min, max }: BackoffRange): number {
  return Math.min(max, min * 2 ** Math.min(attempt - 1, 30)) * (0.5 + Math.random() / 2)
}

/** Resolves after `milliseconds`, or as soon as `signal` is aborted. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    signal.addEventListener('abort', done)
  })
}

/** Settles as `promise` does, or rejects as soon as `signal` is aborted. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort)
  })
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', onAbort))
}
