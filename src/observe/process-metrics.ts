import { collectDefaultMetrics, Registry } from 'prom-client'

/** CPU, memory, event loop and so on of this process, each with its daemon id as label `process`. */
export class ProcessMetrics {
  readonly #registry = new Registry()

  constructor(daemonId: string) {
    collectDefaultMetrics({ register: this.#registry, labels: { process: daemonId } })
  }

  /** In Prometheus' text format. */
  read(): Promise<string> {
    return this.#registry.metrics()
  }
}

/** What prom-client writes between two metrics. */
const BETWEEN = '\n\n'

/**
 * One text of several, in which each metric is once, with the samples of all. Texts cost a fraction of what samples as objects would.
 *
 * @param texts of processes with labels of their own
 */
export function joined(texts: readonly string[]): string {
  const samples = new Map<string, string[]>()
  for (const text of texts) {
    for (const metric of text.trimEnd().split(BETWEEN)) {
      const [help = '', type = '', ...lines] = metric.split('\n')
      const head = `${help}\n${type}`
      const known = samples.get(head)
      if (known === undefined) samples.set(head, lines)
      else known.push(...lines)
    }
  }
  return `${[...samples].map(([head, lines]) => [head, ...lines].join('\n')).join(BETWEEN)}\n`
}
