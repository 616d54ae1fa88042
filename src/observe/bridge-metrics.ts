import { Counter, Gauge, type Registry } from 'prom-client'
import { registerSpreads } from './distribution.ts'
import { GAUGES, type GaugesByQueue } from './gauges.ts'
import type { Spread, Totals, TotalsByQueue } from './totals.ts'

/** What is shown, of one process or of a fleet; read when somebody asks. */
export interface Measured {
  readonly version: string
  readonly totals: TotalsByQueue
  readonly gauges: GaugesByQueue
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number]

/** What is counted of a queue. */
const COUNTERS: readonly (readonly [
  name: string,
  help: string,
  labels: readonly string[],
  read: (totals: Totals) => Iterable<Sample>,
])[] = [
  [
    'messages_total',
    'Messages, by what has come of them; hold: given back, since it could not be executed.',
    ['outcome'],
    ({ counts }) => samplesOf('outcome', counts),
  ],
  [
    'fastcgi_errors_total',
    'Requests without a complete answer.',
    ['code', 'phase'],
    ({ fastCgiErrors }) =>
      Object.entries(fastCgiErrors).map(([key, count]): Sample => {
        const [code = '', phase = ''] = key.split(' ')
        return [{ code, phase }, count]
      }),
  ],
  [
    'sessions_total',
    'Sessions with a broker that have ended, other than by us.',
    ['reason'],
    ({ sessions }) => samplesOf('reason', sessions),
  ],
  ['retries_total', 'Messages that are to be executed again.', [], ({ counts }) => [[{}, counts.retry]]],
  [
    'dead_letters_total',
    'Messages that were given up.',
    ['reason'],
    ({ deadLetters }) => samplesOf('reason', deadLetters),
  ],
]

/** Adds the metrics `fpm_bridge_*` of queues. */
export function registerBridgeMetrics(registry: Registry, measured: Measured): void {
  const spreads = (name: string, help: string, read: (totals: Totals) => Spread): void =>
    registerSpreads(registry, `fpm_bridge_${name}`, help, () =>
      Object.entries(measured.totals).map(([queue, totals]) => [queue, read(totals)] as const),
    )
  spreads(
    'execution_seconds',
    'How long executions took, the wait for a connection included.',
    ({ executionSeconds }) => executionSeconds,
  )
  spreads(
    'message_age_seconds',
    'How old messages were when their execution began, by their AMQP timestamp.',
    ({ ageSeconds }) => ageSeconds,
  )
  registerCounters(registry, measured)
  registerGauges(registry, measured)
  const build = new Gauge({
    name: 'fpm_bridge_build_info',
    help: 'Always 1; the labels say what is running.',
    labelNames: ['version', 'node_version'],
    registers: [registry],
  })
  build.set({ version: measured.version, node_version: process.version }, 1)
}

function registerCounters(registry: Registry, measured: Measured): void {
  for (const [name, help, labels, read] of COUNTERS) {
    new Counter({
      name: `fpm_bridge_${name}`,
      help,
      labelNames: ['queue', ...labels],
      registers: [registry],
      collect() {
        this.reset()
        for (const [queue, totals] of Object.entries(measured.totals))
          for (const [labels, value] of read(totals)) this.inc({ queue, ...labels }, value)
      },
    })
  }
}

function registerGauges(registry: Registry, measured: Measured): void {
  for (const { name, help } of GAUGES) {
    new Gauge({
      name: `fpm_bridge_${name}`,
      help,
      labelNames: ['queue'],
      registers: [registry],
      collect() {
        this.reset()
        for (const [queue, values] of Object.entries(measured.gauges)) {
          const value = values[name]
          if (value !== undefined) this.set({ queue }, value)
        }
      },
    })
  }
}

function samplesOf(label: string, counts: Readonly<Record<string, number>>): Iterable<Sample> {
  return Object.entries(counts).map(([name, count]): Sample => [{ [label]: name }, count])
}
