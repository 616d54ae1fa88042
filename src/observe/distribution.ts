import type { Histogram, Registry } from 'prom-client'
import type { Spread } from './totals.ts'

/** Seconds: 1 ms to 30 min. */
const BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800,
]

/** How many values there were, by buckets. prom-client's own makes texts and objects of each value, which costs each message. */
export class Distribution implements Spread {
  readonly counts: number[] = [...BUCKETS.map(() => 0), 0]
  sum = 0

  /** @param value in seconds */
  observe(value: number): void {
    let bucket = 0
    while (bucket < BUCKETS.length && value > (BUCKETS[bucket] as number)) bucket += 1
    this.counts[bucket] = (this.counts[bucket] as number) + 1
    this.sum += value
  }
}

/** As prom-client has it. */
function samplesOf({ counts, sum }: Spread, name: string, labels: Readonly<Record<string, string>>) {
  let count = 0
  const buckets = counts.map((those, index) => {
    count += those
    return {
      metricName: `${name}_bucket`,
      labels: { le: BUCKETS[index] ?? '+Inf', ...labels },
      value: count,
    }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ]
}

/**
 * Adds a histogram to the metrics.
 *
 * @param spreads what is to be shown, by queue
 */
export function registerSpreads(
  registry: Registry,
  name: string,
  help: string,
  spreads: () => Iterable<readonly [queue: string, spread: Spread]>,
): void {
  const metric = {
    name,
    async get() {
      const values = [...spreads()].flatMap(([queue, each]) => samplesOf(each, name, { queue }))
      return { name, help, type: 'histogram', aggregator: 'sum', values }
    },
    reset() {},
  }
  // A registry asks for no more than this of a metric, though its types do.
  registry.registerMetric(metric as unknown as Histogram)
}
