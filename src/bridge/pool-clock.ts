import type { FastCgiResponse } from '../fastcgi/types.ts'
import type { Tell } from './events.ts'

/** Seconds by which two clocks may differ before anybody is told. */
const TOLERANCE = 5
/** Milliseconds between two warnings. */
const INTERVAL = 600_000

/**
 * A worker that refuses a message as too late says what time it is (X-Bridge-Clock, seconds since the epoch). Where its clock is
 * ahead of ours it refuses everything.
 */
export class PoolClock {
  readonly #tell: Tell
  #warnedAt = Number.NEGATIVE_INFINITY

  constructor(tell: Tell) {
    this.#tell = tell
  }

  check({ headers }: FastCgiResponse): void {
    const said = headers.get('x-bridge-clock')?.at(-1)
    if (said === undefined || !/^\d{1,12}$/.test(said)) return
    const aheadSeconds = Number(said) - Math.round(Date.now() / 1_000)
    if (Math.abs(aheadSeconds) <= TOLERANCE || performance.now() - this.#warnedAt < INTERVAL) return
    this.#warnedAt = performance.now()
    this.#tell({ kind: 'clock-differs', aheadSeconds })
  }
}
