import { collectDefaultMetrics, Registry } from 'prom-client'
import type { Tell } from '../bridge/events.ts'
import { registerBridgeMetrics } from './bridge-metrics.ts'
import { gaugesOf } from './gauges.ts'
import { Meters } from './meter.ts'
import { registerPoolMetrics } from './pool-metrics.ts'
import type { ProcessView } from './views.ts'

/**
 * The metrics of one process, for Prometheus. Events are counted when they are told; all else is read when somebody asks.
 */
export class Metrics {
  readonly registry = new Registry()
  readonly #meters = new Meters()

  constructor(view: ProcessView) {
    const meters = this.#meters
    registerBridgeMetrics(this.registry, {
      version: view.version,
      get totals() {
        return meters.totals
      },
      get gauges() {
        return gaugesOf(view.bridges)
      },
    })
    collectDefaultMetrics({ register: this.registry })
    registerPoolMetrics(this.registry, view)
  }

  /** @returns what the bridge of that queue is to tell; the one that takes its place goes on with its counts */
  subscriber(queue: string): Tell {
    return this.#meters.subscriber(queue)
  }
}
