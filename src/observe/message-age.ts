/** Seconds that the clock of a publisher may be ahead of ours. What is further off is no time in seconds. */
const CLOCK_TOLERANCE = 60

/**
 * @param timestamp seconds since the epoch, as the publisher has set it
 * @returns seconds; undefined where the timestamp is none
 */
export function ageOf(timestamp: number): number | undefined {
  const age = Date.now() / 1_000 - timestamp
  return timestamp > 0 && age > -CLOCK_TOLERANCE ? Math.max(age, 0) : undefined
}
