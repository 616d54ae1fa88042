import { execFileSync } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import { installedProgram } from '../test/support/installed.mjs'
import type { BodyRate } from './bodies.ts'
import type { Utilisation } from './children.ts'
import type { FormRate } from './form.ts'
import type { Latency } from './latency.ts'
import type { Memory } from './memory.ts'
import type { Spread } from './statistics.ts'
import { isMet, targets } from './targets.ts'
import type { ThroughputResult } from './throughput.ts'
import { throughputRows } from './throughput-table.ts'

/** What each section found; undefined where it did not run. */
export interface Results {
  startTime?: Spread
  throughput?: ThroughputResult
  /** Both ways to ack, and those of another version, side by side. */
  modes?: ThroughputResult
  latency?: readonly Latency[]
  utilisation?: readonly Utilisation[]
  memory?: Memory
  bodies?: readonly BodyRate[]
  form?: readonly FormRate[]
}

/** What the figures depend on, in one line. */
export async function describeMachine(brokerVersion: string): Promise<string> {
  const php = execFileSync(installedProgram('php'), ['-r', 'echo PHP_VERSION;'], { encoding: 'utf8' })
  const processors = cpus()
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  return `${processors.length} x ${processors[0]?.model.trim()}, ${memory}; Node.js ${process.versions.node}, PHP ${php}, RabbitMQ ${brokerVersion}`
}

/** For programs: all figures, those of each round too. */
export function toJson(
  machine: string,
  options: Readonly<Record<string, unknown>>,
  results: Results,
): string {
  const { throughput, modes, ...others } = results
  const rounds = [throughput, modes]
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
      rounds,
      ...others,
    },
    null,
    2,
  )
}
