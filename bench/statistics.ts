/** What several rounds gave: medians stand for it, since one slow round of a noisy machine does not move them. */
export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

/** @param values at least one */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  return { median: percentile(sorted, 50), least: percentile(sorted, 0), most: percentile(sorted, 100) }
}

/**
 * The nearest-rank percentile.
 *
 * @param sorted ascending, at least one value
 * @param percent 0 to 100
 */
export function percentile(sorted: readonly number[], percent: number): number {
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length))
  return sorted[rank - 1] ?? Number.NaN
}

/** Round by round, since rounds differ more than what runs side by side in one. */
export function ratios(dividends: readonly number[], divisors: readonly number[]): Spread {
  return spread(dividends.map((dividend, round) => dividend / (divisors[round] ?? Number.NaN)))
}
