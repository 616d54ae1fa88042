import { AggregatorRegistry, collectDefaultMetrics, type MetricObject, Registry } from 'prom-client'

/** prom-client's own metrics of a process, as plain data. */
export type ProcessSamples = readonly MetricObject[]

/** CPU, memory, event loop and so on of this process, each with its daemon id as label `process`. */
export class ProcessMetrics {
  readonly #registry = new Registry()

  constructor(daemonId: string) {
    collectDefaultMetrics({ register: this.#registry, labels: { process: daemonId } })
  }

  async read(): Promise<ProcessSamples> {
    // Its types name an object for each metric, and mean one that is read.
    return (await this.#registry.getMetricsAsJSON()) as unknown as ProcessSamples
  }
}

/** In Prometheus' text format. @param all of processes with labels of their own; of two that have the same one, the first counts */
export function processText(all: readonly ProcessSamples[]): Promise<string> {
  const each = all.map((samples) => samples.map((metric) => ({ ...metric, aggregator: 'first' })))
  return AggregatorRegistry.aggregate(each).metrics()
}
