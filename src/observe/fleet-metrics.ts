import { Counter, Gauge, Registry } from 'prom-client'
import { registerBridgeMetrics } from './bridge-metrics.ts'
import type { FleetView } from './fleet-views.ts'
import type { GaugesByQueue } from './gauges.ts'
import { registerPoolMetrics } from './pool-metrics.ts'
import { joined, ProcessMetrics } from './process-metrics.ts'
import { addUp, type TotalsByQueue } from './totals.ts'

/** The metrics of a fleet, added up from what its processes have said last. */
export class FleetMetrics {
  readonly contentType: string
  readonly #registry = new Registry()
  readonly #own: ProcessMetrics
  readonly #view: FleetView

  /** Added up once for each text. */
  #sums: { readonly totals: TotalsByQueue; readonly gauges: GaugesByQueue } = { totals: {}, gauges: {} }

  constructor(view: FleetView) {
    this.#view = view
    this.#own = new ProcessMetrics(view.daemonId)
    this.contentType = this.#registry.contentType
    const sums = () => this.#sums
    registerBridgeMetrics(this.#registry, {
      version: view.version,
      get totals() {
        return sums().totals
      },
      get gauges() {
        return sums().gauges
      },
    })
    registerProcesses(this.#registry, view)
    registerPoolMetrics(this.#registry, view)
  }

  async text(): Promise<string> {
    this.#sums = { totals: this.#view.totals, gauges: gaugesOfFleet(this.#view) }
    // Of two processes of one id, the younger one that has been asked.
    const said = this.#view.slots.flatMap(({ processes }) => {
      const text = processes.find(({ metrics }) => metrics !== undefined)?.metrics
      return text === undefined ? [] : [text]
    })
    return `${await this.#registry.metrics()}\n${joined([await this.#own.read(), ...said])}`
  }
}

function gaugesOfFleet({ slots }: FleetView): GaugesByQueue {
  return slots
    .flatMap(({ processes }) => processes)
    .reduce((sum, { report }) => (report === undefined ? sum : addUp(sum, report.gauges)), {})
}

function registerProcesses(registry: Registry, view: FleetView): void {
  new Gauge({
    name: 'fpm_bridge_process_up',
    help: 'Whether there is such a process, and it answers.',
    labelNames: ['process'],
    registers: [registry],
    collect() {
      for (const { id, processes } of view.slots)
        this.set({ process: id }, +processes.some(({ silentSince }) => silentSince === undefined))
    },
  })
  new Counter({
    name: 'fpm_bridge_process_starts_total',
    help: 'How often such a process has been started.',
    labelNames: ['process'],
    registers: [registry],
    collect() {
      this.reset()
      for (const { id, starts } of view.slots) this.inc({ process: id }, starts)
    },
  })
}
