import { setTimeout as sleep } from 'node:timers/promises'

export interface EventuallyOptions {
  /** Milliseconds until it gives up; default 30,000, so that a busy machine is no failure. */
  readonly within?: number
  /** Milliseconds between two looks; default 20. */
  readonly every?: number
}

/** What a check has seen: false, null and undefined say that it is not so yet. */
type Seen<T> = NonNullable<Exclude<T, false>>

/** Thrown by a check: it can never pass, so do not wait. */
export class Hopeless extends Error {}

/** Goes on where a test has stopped the clock. */
const now = performance.now.bind(performance)

/**
 * Repeats a check until it passes and returns what it returned.
 *
 * @param what names the awaited thing in the failure, as in "the queue is empty"
 * @param check throws, or returns false, null or undefined, while it is not so yet
 * @throws when the time is over, with what was seen last as the message and the cause
 */
export async function eventually<T>(
  what: string,
  check: () => T | Promise<T>,
  options: EventuallyOptions = {},
): Promise<Seen<T>> {
  const { within, passed, seen } = await repeat(check, options)
  if (passed) return seen as Seen<T>
  const last = seen instanceof Error ? seen.message : String(seen)
  throw new Error(`Not within ${within} ms: ${what}. Last seen: ${last}`, { cause: seen })
}

/** The same where it is no failure that it does not come to that: undefined, when the time is over. */
export async function inTime<T>(
  check: () => T | Promise<T>,
  options: EventuallyOptions = {},
): Promise<Seen<T> | undefined> {
  const { passed, seen } = await repeat(check, options)
  return passed ? (seen as Seen<T>) : undefined
}

async function repeat(
  check: () => unknown,
  { within = 30_000, every = 20 }: EventuallyOptions,
): Promise<{ readonly within: number; readonly passed: boolean; readonly seen: unknown }> {
  for (const deadline = now() + within; ; await sleep(every)) {
    let seen: unknown
    try {
      seen = await check()
      if (seen !== false && seen !== null && seen !== undefined) return { within, passed: true, seen }
    } catch (error) {
      if (error instanceof Hopeless) throw error
      seen = error
    }
    if (now() >= deadline) return { within, passed: false, seen }
  }
}
