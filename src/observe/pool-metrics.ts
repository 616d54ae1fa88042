import { Counter, Gauge, type Registry } from 'prom-client'
import type { PoolPage, PoolProcess, PoolReading, ProcessView } from './views.ts'

/*
 * The metrics of php-fpm_exporter (github.com/hipages/php-fpm_exporter, phpfpm/exporter.go): its names, types, labels and texts, so that
 * its dashboards and alerts work here. Those of a pool are missing where it has no status page.
 */

type Labels = Readonly<Record<string, string>>
type Sample = readonly [labels: Labels, value: number]
type Answered = Exclude<PoolReading, { kind: 'unknown' }>
type Row<Of> = readonly [type: 'counter' | 'gauge', name: string, help: string, read: (of: Of) => number]

const POOL: readonly Row<Answered>[] = [
  ['gauge', 'up', 'Could PHP-FPM be reached?', ({ kind }) => +(kind === 'up')],
  ['counter', 'scrape_failures', 'The number of failures scraping from PHP-FPM.', ({ failures }) => failures],
]

const PAGE: readonly Row<PoolPage>[] = [
  ['counter', 'start_since', 'The number of seconds since FPM has started.', (page) => page.startSince],
  [
    'counter',
    'accepted_connections',
    'The number of requests accepted by the pool.',
    (page) => page.acceptedConnections,
  ],
  [
    'gauge',
    'listen_queue',
    'The number of requests in the queue of pending connections.',
    (page) => page.listenQueue,
  ],
  [
    'counter',
    'max_listen_queue',
    'The maximum number of requests in the queue of pending connections since FPM has started.',
    (page) => page.maxListenQueue,
  ],
  [
    'gauge',
    'listen_queue_length',
    'The size of the socket queue of pending connections.',
    (page) => page.listenQueueLength,
  ],
  ['gauge', 'idle_processes', 'The number of idle processes.', (page) => page.idleProcesses],
  ['gauge', 'active_processes', 'The number of active processes.', (page) => page.activeProcesses],
  ['gauge', 'total_processes', 'The number of idle + active processes.', (page) => page.totalProcesses],
  [
    'counter',
    'max_active_processes',
    'The maximum number of active processes since FPM has started.',
    (page) => page.maxActiveProcesses,
  ],
  [
    'counter',
    'max_children_reached',
    "The number of times, the process limit has been reached, when pm tries to start more children (works only for pm 'dynamic' and 'ondemand').",
    (page) => page.maxChildrenReached,
  ],
  [
    'counter',
    'slow_requests',
    "The number of requests that exceeded your 'request_slowlog_timeout' value.",
    (page) => page.slowRequests,
  ],
]

const PROCESS: readonly Row<PoolProcess>[] = [
  [
    'counter',
    'process_requests',
    'The number of requests the process has served.',
    ({ requests }) => requests,
  ],
  [
    'gauge',
    'process_last_request_memory',
    'The max amount of memory the last request consumed.',
    ({ lastRequestMemory }) => lastRequestMemory,
  ],
  [
    'gauge',
    'process_last_request_cpu',
    'The %cpu the last request consumed.',
    ({ lastRequestCpu }) => lastRequestCpu,
  ],
  [
    'gauge',
    'process_request_duration',
    'The duration in microseconds of the requests.',
    ({ requestDuration }) => requestDuration,
  ],
]

/** Each is there with 0, so that a panel finds it. */
const STATES = ['Idle', 'Running', 'Finishing', 'Reading headers', 'Getting request informations', 'Ending']

export function registerPoolMetrics(registry: Registry, view: Pick<ProcessView, 'pools'>): void {
  const register = (
    type: Row<never>[0],
    name: string,
    help: string,
    labelNames: readonly string[],
    read: (labels: Labels, reading: Answered) => Iterable<Sample>,
  ): void => {
    const Metric = type === 'counter' ? Counter : Gauge
    new Metric({
      name: `phpfpm_${name}`,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        const samples = await samplesOf(view, read)
        this.reset()
        for (const [labels, value] of samples) this.inc(labels, value)
      },
    })
  }
  const ofPool = ['pool', 'scrape_uri']
  const ofChild = ['pool', 'child', 'scrape_uri']
  for (const [type, name, help, read] of POOL)
    register(type, name, help, ofPool, (labels, reading) => [[labels, read(reading)]])
  for (const [type, name, help, read] of PAGE)
    register(type, name, help, ofPool, (labels, reading) =>
      reading.kind === 'up' ? [[labels, read(reading.status)]] : [],
    )
  for (const [type, name, help, read] of PROCESS)
    register(type, name, help, ofChild, (labels, reading) =>
      processesOf(reading).map((child, index): Sample => [{ ...labels, child: String(index) }, read(child)]),
    )
  const help = 'The state of the process (Idle, Running, ...).'
  register('gauge', 'process_state', help, ['pool', 'child', 'state', 'scrape_uri'], statesOf)
}

async function samplesOf(
  view: Pick<ProcessView, 'pools'>,
  read: (labels: Labels, reading: Answered) => Iterable<Sample>,
): Promise<readonly Sample[]> {
  const pools = view.pools.map(async (pool): Promise<readonly Sample[]> => {
    const reading = await pool.read()
    if (reading.kind === 'unknown') return []
    const name = reading.kind === 'up' ? reading.status.pool : (reading.name ?? '')
    return [...read({ pool: name, scrape_uri: pool.scrapeUri }, reading)]
  })
  return (await Promise.all(pools)).flat()
}

function* statesOf(labels: Labels, reading: Answered): Iterable<Sample> {
  for (const [index, process] of processesOf(reading).entries())
    for (const state of new Set([...STATES, process.state]))
      yield [{ ...labels, child: String(index), state }, +(state === process.state)]
}

function processesOf(reading: Answered): readonly PoolProcess[] {
  return reading.kind === 'up' ? reading.status.processes : []
}
