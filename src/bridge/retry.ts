import type { RetryPolicy } from './ports.ts'

/**
 * The delays there are, ascending: `retryDelay` doubled until it reaches `retryMaxDelay`. Each is a queue, so they
 * are few: 11 from 1 s to 10 min.
 *
 * @returns milliseconds
 */
export function retryDelays({ retryDelay, retryMaxDelay }: RetryPolicy): readonly number[] {
  const delays: number[] = []
  for (let delay = retryDelay; delay < retryMaxDelay; delay *= 2) delays.push(delay)
  return [...delays, retryMaxDelay]
}

/**
 * How long a message rests after its attempt number `attempt` (from 1): doubling, or longer where the worker asked for
 * it, never beyond `retryMaxDelay`. Rounded up to one of the delays there are.
 *
 * @param retryAfterMs milliseconds that the worker asked for; 0 = nothing
 * @returns milliseconds
 */
export function retryDelay(attempt: number, retryAfterMs: number, policy: RetryPolicy): number {
  const least = Math.max(policy.retryDelay * 2 ** (attempt - 1), retryAfterMs)
  return retryDelays(policy).find((delay) => delay >= least) ?? policy.retryMaxDelay
}

/** The queue in which messages rest for `delay` milliseconds, to come back to `queue` then. */
export function retryQueue(queue: string, delay: number): string {
  return `${queue}.retry.${delay}`
}

/**
 * Where a message may rest for `delay` milliseconds: in the queue that is made for it, or, where that one takes nothing, for longer.
 *
 * @param delay one of retryDelays
 */
export function restingQueues(
  delay: number,
  config: RetryPolicy & { readonly queue: string },
): readonly [string, ...string[]] {
  const longer = retryDelays(config).filter((other) => other > delay)
  return [retryQueue(config.queue, delay), ...longer.map((other) => retryQueue(config.queue, other))]
}

/**
 * The value of a Retry-After header: seconds, or a date (RFC 9110, section 10.2.3).
 *
 * @param now milliseconds since the epoch
 * @returns milliseconds from now on; 0 for a date that has passed, and for what is neither
 */
export function parseRetryAfter(value: string | undefined, now: number): number {
  if (value === undefined) return 0
  if (/^\d+$/.test(value)) return Math.min(Number(value) * 1_000, Number.MAX_SAFE_INTEGER)
  // Date.parse takes much for a date, such as "5.5". The three forms of HTTP begin with the day of the week.
  if (!/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /.test(value)) return 0
  // That of asctime ends with the year and is UTC all the same; Date.parse would take it for local time.
  const date = Date.parse(value.replace(/ \d{4}$/, '$& GMT'))
  return Number.isNaN(date) ? 0 : Math.max(0, date - now)
}
