import type { BridgeEvent } from '../bridge/events.ts'
import { residentMemory } from './resident-memory.ts'

/** More messages than asked for, drawn by each process: those that start together should not end together. */
const SPREAD = { least: 20, most: 50 } as const
/** Milliseconds between two looks at the memory. */
const INTERVAL = 1_000

export interface RecyclingLimits {
  /** Of messages; undefined: none. */
  readonly maxMessages: number | undefined
  /** Bytes of resident memory; undefined: none. */
  readonly maxMemory: number | undefined
}

export type RecyclingReason = 'max-messages' | 'max-memory'

/** Says once when a process has done its share. */
export class Recycling {
  readonly #onDue: (reason: RecyclingReason) => void
  readonly #timer: NodeJS.Timeout | undefined
  /** Of messages. */
  #left: number
  #isDue = false

  /** @param random from 0 up to 1 */
  constructor(
    { maxMessages = Number.POSITIVE_INFINITY, maxMemory }: RecyclingLimits,
    onDue: (reason: RecyclingReason) => void,
    random: () => number = Math.random,
  ) {
    this.#onDue = onDue
    this.#left = maxMessages + SPREAD.least + Math.floor(random() * (SPREAD.most - SPREAD.least + 1))
    if (maxMemory === undefined) return
    this.#timer = setInterval(() => {
      if (residentMemory() > maxMemory) this.#tell('max-memory')
    }, INTERVAL).unref()
  }

  /** Hears what all bridges tell. A delivery that came to its end is a message, whatever came of it. */
  take({ kind }: BridgeEvent): void {
    if (kind !== 'settled' && kind !== 'unsettled' && kind !== 'lost') return
    this.#left -= 1
    if (this.#left <= 0) this.#tell('max-messages')
  }

  #tell(reason: RecyclingReason): void {
    if (this.#isDue) return
    this.#isDue = true
    clearInterval(this.#timer)
    this.#onDue(reason)
  }
}
