/** Buckets for each doubling: each is 4.4 % wide, so a quantile is at most 2.2 % off. */
const PER_DOUBLING = 16
/** Milliseconds: what is less is counted there. */
const SMALLEST = 2 ** -6
/** Up to more than three weeks, beyond which no timer goes. */
const BUCKETS = (6 + 31) * PER_DOUBLING

/** What is said of many durations, in milliseconds, to a thousandth. */
export interface Durations {
  readonly count: number
  readonly sum: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

/** Any number of durations in 2.4 KiB: counts them in buckets that get wider as they do. */
export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS)
  #count = 0
  #sum = 0
  #max = 0

  /** @param milliseconds not negative */
  add(milliseconds: number): void {
    const bucket = Math.floor(Math.log2(Math.max(milliseconds, SMALLEST) / SMALLEST) * PER_DOUBLING)
    const index = Math.min(bucket, BUCKETS - 1)
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
    this.#count += 1
    this.#sum += milliseconds
    this.#max = Math.max(this.#max, milliseconds)
  }

  get durations(): Durations {
    return {
      count: this.#count,
      sum: toMicroseconds(this.#sum),
      p50: this.#quantile(0.5),
      p95: this.#quantile(0.95),
      p99: this.#quantile(0.99),
      max: toMicroseconds(this.#max),
    }
  }

  /** The middle of the bucket that has it; of none, 0. */
  #quantile(share: number): number {
    const rank = Math.ceil(share * this.#count)
    let seen = 0
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      const count = this.#counts[bucket] ?? 0
      seen += count
      if (seen >= rank && count > 0)
        return toMicroseconds(Math.min(this.#max, SMALLEST * 2 ** ((bucket + 0.5) / PER_DOUBLING)))
    }
    return 0
  }
}

function toMicroseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1_000) / 1_000
}
