import { FastCgiError } from '../fastcgi/types.ts'
import type { StreamEnd } from './stream-events.ts'

/** Milliseconds for a script to boot: doubled from the first to the second where it takes longer. */
const PATIENCE = { min: 500, max: 60_000 } as const
/** So many scripts in a row may end before they have answered anything, and another one is tried. */
const MAX_DEATHS = 3

const SILENT =
  'the script has not said hello, so no message was executed: it must speak the message stream (Worker::run of worker-php does), or --messages-per-request be 1'
const USELESS = 'the script has said hello, and again and again ended before it executed a message'
const UNREAD = 'the pool has hung up again and again before it read a request'

/** What is known of the script: how long it takes to boot, and whether it executes anything. */
export class ScriptAcquaintance {
  #patience: number = PATIENCE.min
  #quickestBoot = Number.POSITIVE_INFINITY
  /** In a row, before they had answered anything. */
  #deaths = 0

  /** Milliseconds for its hello, where it gets a child at once. */
  get patience(): number {
    return this.#patience
  }

  /** Milliseconds that it needs where it gets a child at once, as far as it has been seen. */
  get quickestBoot(): number {
    return this.#quickestBoot
  }

  noteBoot(milliseconds: number): void {
    this.#quickestBoot = Math.min(this.#quickestBoot, milliseconds)
  }

  noteAnswer(): void {
    this.#deaths = 0
  }

  /** Its hello came when nobody waited for it any more. */
  noteLateBoot(milliseconds: number): void {
    this.#patience = Math.min(2 * Math.max(this.#patience, milliseconds), PATIENCE.max)
  }

  /**
   * A script has ended before it had answered anything.
   *
   * @param spoken whether whoever was there speaks FastCGI
   * @param why how it ended, and what it said
   * @returns what that means for those who wait; undefined: another one is tried
   */
  noteDeath(
    end: Exclude<StreamEnd, 'served' | 'late'>,
    spoken: boolean,
    why: string,
  ): FastCgiError | undefined {
    this.#deaths += 1
    // One that was killed says nothing of the script.
    const isCertain = end === 'silent' && spoken
    if (!isCertain && this.#deaths < MAX_DEATHS) return undefined
    this.#deaths = 0
    if (end === 'unread') return new FastCgiError('CONNECT_FAILED', 'connect', `${UNREAD} (${why})`)
    return new FastCgiError('NO_HELLO', 'connect', `${end === 'silent' ? SILENT : USELESS} (${why})`)
  }
}
