import { setTimeout as sleep } from 'node:timers/promises'

export interface EventuallyOptions {
  /** Milliseconds until it gives up; default 30,000, so that a busy machine is no failure. */
  readonly within?: number
  /** Milliseconds between two looks; default 20. */
  readonly every?: number
}

/** Thrown by a check: it can never pass, so do not wait. */
export class Hopeless extends Error {}

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
  { within = 30_000, every = 20 }: EventuallyOptions = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = performance.now() + within
  for (;;) {
    let lastSeen: unknown
    try {
      const seen = await check()
      if (seen !== false && seen !== null && seen !== undefined) return seen as NonNullable<Exclude<T, false>>
      lastSeen = seen
    } catch (error) {
      if (error instanceof Hopeless) throw error
      lastSeen = error
    }
    if (performance.now() >= deadline) {
      const last = lastSeen instanceof Error ? lastSeen.message : String(lastSeen)
      throw new Error(`Not within ${within} ms: ${what}. Last seen: ${last}`, { cause: lastSeen })
    }
    await sleep(every)
  }
}
