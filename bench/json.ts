import type { Results } from './results.ts'
import { isMet, targets } from './targets.ts'
import { throughputRows } from './throughput-table.ts'

/** For programs: all figures, those of each round too. */
export function toJson(
  machine: string,
  options: Readonly<Record<string, unknown>>,
  results: Results,
): string {
  const { throughput, modes, frameworks, ...others } = results
  const rounds = [throughput, modes, others.many?.throughput, frameworks]
    .flatMap((found) => [...(found?.contestants ?? []), ...(found?.clients ?? [])])
    .map(([{ name }, runs]) => ({ name, runs }))
  return JSON.stringify(
    {
      time: new Date().toISOString(),
      machine,
      options,
      targets: targets(results).map((target) => ({ ...target, met: isMet(target) })),
      ...(throughput === undefined ? {} : { throughput: throughputRows(throughput) }),
      ...(modes === undefined ? {} : { modes: throughputRows(modes) }),
      ...(frameworks === undefined ? {} : { frameworks: throughputRows(frameworks) }),
      rounds,
      ...others,
    },
    null,
    2,
  )
}
