import { expect, it } from 'vitest'
import { Metrics } from '../../../src/observe/metrics.ts'
import type { PoolPage, PoolReading } from '../../../src/observe/views.ts'
import { poolView, processView } from '../../support/views.ts'

const child = {
  state: 'Idle',
  requests: 7,
  requestDuration: 150,
  lastRequestCpu: 1.5,
  lastRequestMemory: 2_097_152,
}
const page: PoolPage = {
  pool: 'www',
  kind: 'static',
  startSince: 60,
  acceptedConnections: 14,
  listenQueue: 1,
  maxListenQueue: 2,
  listenQueueLength: 511,
  idleProcesses: 1,
  activeProcesses: 1,
  totalProcesses: 2,
  maxActiveProcesses: 2,
  maxChildrenReached: 3,
  slowRequests: 4,
  processes: [child, { ...child, state: 'Reading headers', requests: 8 }],
}

/** The lines of the pool's own metrics. */
async function lines(...readings: PoolReading[]): Promise<readonly string[]> {
  const metrics = new Metrics(processView({ pools: readings.map((reading) => poolView(reading)) }))
  return (await metrics.registry.metrics()).split('\n').filter((line) => /phpfpm_/.test(line))
}

it('has the names, types and labels of php-fpm_exporter', async () => {
  const all = await lines({ kind: 'up', status: page, failures: 5 })
  const types = all
    .filter((line) => line.startsWith('# TYPE '))
    .map((line) => line.slice('# TYPE phpfpm_'.length))
  // As phpfpm/exporter.go has them.
  expect(types.sort()).toEqual([
    'accepted_connections counter',
    'active_processes gauge',
    'idle_processes gauge',
    'listen_queue gauge',
    'listen_queue_length gauge',
    'max_active_processes counter',
    'max_children_reached counter',
    'max_listen_queue counter',
    'process_last_request_cpu gauge',
    'process_last_request_memory gauge',
    'process_request_duration gauge',
    'process_requests counter',
    'process_state gauge',
    'scrape_failures counter',
    'slow_requests counter',
    'start_since counter',
    'total_processes gauge',
    'up gauge',
  ])
  const labels = 'pool="www",scrape_uri="unix:///run/fpm.sock;/status"'
  for (const line of [
    `phpfpm_up{${labels}} 1`,
    `phpfpm_scrape_failures{${labels}} 5`,
    `phpfpm_accepted_connections{${labels}} 14`,
    `phpfpm_listen_queue_length{${labels}} 511`,
    `phpfpm_slow_requests{${labels}} 4`,
    `phpfpm_process_requests{${labels},child="1"} 8`,
    `phpfpm_process_request_duration{${labels},child="0"} 150`,
    `phpfpm_process_state{${labels},child="0",state="Idle"} 1`,
    `phpfpm_process_state{${labels},child="1",state="Idle"} 0`,
    `phpfpm_process_state{${labels},child="1",state="Reading headers"} 1`,
  ])
    expect(all).toContain(line)
})

it('a pool that does not answer is down, under the name that it had', async () => {
  const all = await lines({ kind: 'down', reason: 'gone', name: 'www', failures: 2 })
  expect(all.filter((line) => !line.startsWith('#'))).toEqual([
    'phpfpm_up{pool="www",scrape_uri="unix:///run/fpm.sock;/status"} 0',
    'phpfpm_scrape_failures{pool="www",scrape_uri="unix:///run/fpm.sock;/status"} 2',
  ])
})

it('a pool without the page has none', async () => {
  const all = await lines({ kind: 'unknown' })
  expect(all.filter((line) => !line.startsWith('#'))).toEqual([])
})
