/** Milliseconds that messages may take, on average, for one to be sent ahead of the answer to another. */
const SHORT = 50
/** So many milliseconds of work may be sent ahead. */
const WORK_AHEAD = 10
/** Messages in a stream beside the one that is executed, at most. */
export const MOST_AHEAD = 7

/** Of the mean, the share of each new duration. */
const WEIGHT = 0.2

/** Knows from the last messages how many may be sent ahead: as many as keep a fast worker busy, behind a slow one none. */
export class Pace {
  #mean: number | undefined

  /** @param milliseconds that a message has taken */
  note(milliseconds: number): void {
    this.#mean = this.#mean === undefined ? milliseconds : this.#mean + WEIGHT * (milliseconds - this.#mean)
  }

  /** How many messages may be in a stream behind the one that is executed. */
  get ahead(): number {
    if (this.#mean === undefined || this.#mean >= SHORT) return 0
    return Math.min(MOST_AHEAD, Math.ceil(WORK_AHEAD / this.#mean))
  }
}
