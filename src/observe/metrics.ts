import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Tell } from '../bridge/events.ts'
import { type Distribution, registerDistributions } from './distribution.ts'
import { Meter } from './meter.ts'
import { registerPoolMetrics } from './pool-metrics.ts'
import type { BridgeView, ProcessView } from './views.ts'

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number]

/** What is read of a bridge; where a queue has two for a moment, the sum, or the larger one. */
const GAUGES: readonly (readonly [
  name: string,
  help: string,
  read: (bridge: BridgeView) => number,
  join: (one: number, other: number) => number,
])[] = [
  ['in_flight', 'Messages that are executed, or not settled yet.', ({ inFlight }) => inFlight, sum],
  ['waiting', 'Messages that have been delivered and wait for a slot.', ({ waiting }) => waiting, sum],
  ['concurrency', 'Requests in flight at most.', ({ concurrency }) => concurrency, Math.max],
  ['session_up', 'Whether there is a session with a broker.', ({ sessionUp }) => +sessionUp, Math.max],
  ['hold', 'Whether nothing can be executed.', ({ hold }) => +(hold !== undefined), Math.max],
  ['paused', 'Whether no messages are taken on purpose.', ({ paused }) => +paused, Math.max],
]

/** What is counted of a queue. */
const COUNTERS: readonly (readonly [
  name: string,
  help: string,
  labels: readonly string[],
  read: (meter: Meter) => Iterable<Sample>,
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
      [...fastCgiErrors].map(({ code, phase, count }): Sample => [{ code, phase }, count]),
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

/**
 * The metrics of one process, for Prometheus. Events are counted when they are told; all else is read when somebody asks.
 */
export class Metrics {
  readonly registry = new Registry()
  readonly #meters = new Map<string, Meter>()

  constructor(view: ProcessView) {
    this.#registerDistribution(
      'execution_seconds',
      'How long executions took, the wait for a connection included.',
      ({ executionSeconds }) => executionSeconds,
    )
    this.#registerDistribution(
      'message_age_seconds',
      'How old messages were when their execution began, by their AMQP timestamp.',
      ({ ageSeconds }) => ageSeconds,
    )
    this.#registerCounters()
    this.#registerGauges(view)
    const build = new Gauge({
      name: 'fpm_bridge_build_info',
      help: 'Always 1; the labels say what is running.',
      labelNames: ['version', 'node_version'],
      registers: [this.registry],
    })
    build.set({ version: view.version, node_version: process.version }, 1)
    collectDefaultMetrics({ register: this.registry })
    registerPoolMetrics(this.registry, view)
  }

  /** @returns what the bridge of that queue is to tell; the one that takes its place goes on with its counts */
  subscriber(queue: string): Tell {
    const meter = this.#meters.get(queue) ?? new Meter()
    this.#meters.set(queue, meter)
    return (event) => meter.hear(event)
  }

  #registerDistribution(name: string, help: string, read: (meter: Meter) => Distribution): void {
    registerDistributions(this.registry, `fpm_bridge_${name}`, help, () =>
      [...this.#meters].map(([queue, meter]) => [queue, read(meter)] as const),
    )
  }

  #registerCounters(): void {
    const meters = this.#meters
    for (const [name, help, labels, read] of COUNTERS) {
      new Counter({
        name: `fpm_bridge_${name}`,
        help,
        labelNames: ['queue', ...labels],
        registers: [this.registry],
        collect() {
          this.reset()
          for (const [queue, meter] of meters)
            for (const [labels, value] of read(meter)) this.inc({ queue, ...labels }, value)
        },
      })
    }
  }

  #registerGauges(view: ProcessView): void {
    for (const [name, help, read, join] of GAUGES) {
      new Gauge({
        name: `fpm_bridge_${name}`,
        help,
        labelNames: ['queue'],
        registers: [this.registry],
        collect() {
          const values = new Map<string, number>()
          for (const bridge of view.bridges)
            values.set(bridge.queue, join(values.get(bridge.queue) ?? 0, read(bridge)))
          this.reset()
          for (const [queue, value] of values) this.set({ queue }, value)
        },
      })
    }
  }
}

function sum(one: number, other: number): number {
  return one + other
}

function samplesOf(label: string, counts: Readonly<Record<string, number>>): Iterable<Sample> {
  return Object.entries(counts).map(([name, count]): Sample => [{ [label]: name }, count])
}
