import type { ExecutionIds, PauseCause } from '../bridge/facts.ts'
import type { Failure } from './failures.ts'
import { childrenOf } from './pool-children.ts'
import type { BridgeView, PoolReading, PoolView, ProcessView } from './views.ts'

type PauseNote = Extract<PauseCause, { kind: 'queue' }>['note']

/** Of what is being executed, the oldest ones. */
const MAX_IN_FLIGHT = 100

/** All that /status says; docs/metrics.md has each field. What JSON leaves out is not known. */
export async function statusOf(view: ProcessView, failures: readonly Failure[]): Promise<object> {
  const { config, ...own } = ownStatusOf(view, failures)
  return { ...own, pools: await poolsStatusOf(view.pools), config }
}

/** The same without the pools, which processes may share. */
export function ownStatusOf(view: ProcessView, failures: readonly Failure[]) {
  const { daemonId, version, draining, bridges, config } = view
  return {
    ...systemStatusOf({ daemonId, version, draining }),
    bridges: bridges.map(bridgeStatus),
    in_flight: oldest(bridges),
    failures: failures.map(({ execution, ...failure }) => ({ ...failure, ...idsOf(execution) })),
    config,
  }
}

/** What there is to say of any process. */
export function systemStatusOf(view: Pick<ProcessView, 'daemonId' | 'version' | 'draining'>) {
  const { rss, heapUsed } = process.memoryUsage()
  return {
    daemon_id: view.daemonId,
    version: view.version,
    node_version: process.version,
    pid: process.pid,
    state: view.draining ? 'draining' : 'running',
    started: new Date(Date.now() - process.uptime() * 1_000).toISOString(),
    uptime_s: Math.round(process.uptime()),
    memory: { rss_bytes: rss, heap_used_bytes: heapUsed },
  }
}

export function poolsStatusOf(pools: readonly PoolView[]): Promise<readonly object[]> {
  return Promise.all(pools.map(poolStatus))
}

function bridgeStatus(bridge: BridgeView) {
  const { name, queue, pool, state, sessionUp, pauses, hold, counts } = bridge
  const { inFlight, waiting, concurrency } = bridge
  return {
    name,
    queue,
    pool,
    state,
    session: sessionUp ? 'up' : 'down',
    paused: pauses.length > 0,
    drained: pauses.some(({ kind }) => kind === 'drain'),
    pause: noteOf(pauses),
    hold: hold && { reason: hold.reason, held_ms: millisecondsSince(hold.since) },
    in_flight: inFlight,
    waiting,
    concurrency,
    messages: counts,
    execution_ms: bridge.executionTimes(),
  }
}

/** What the marker beside its queue says, if there is one. */
export function noteOf(pauses: BridgeView['pauses']): PauseNote | undefined {
  for (const pause of pauses) if (pause.kind === 'queue') return pause.note
  return undefined
}

function oldest(bridges: readonly BridgeView[]) {
  return bridges
    .flatMap(({ queue, executions }) => executions.map((execution) => ({ queue, execution })))
    .sort((one, other) => one.execution.startedAt - other.execution.startedAt)
    .slice(0, MAX_IN_FLIGHT)
    .map(({ queue, execution }) => ({
      queue,
      age_ms: millisecondsSince(execution.startedAt),
      ...idsOf(execution),
    }))
}

function idsOf({ executionId, messageId, correlationId, type, attempt, deliveryTag, traceId }: ExecutionIds) {
  return {
    execution_id: executionId,
    message_id: messageId,
    correlation_id: correlationId,
    type,
    attempt,
    delivery_tag: deliveryTag,
    trace_id: traceId,
  }
}

async function poolStatus(pool: PoolView) {
  return { pool: pool.pool, ...pageStatus(await pool.read()) }
}

function pageStatus(reading: PoolReading) {
  switch (reading.kind) {
    case 'unknown':
      return { status_page: 'none' }
    case 'down':
      return { status_page: 'no answer', name: reading.name, reason: reading.reason }
    case 'up': {
      const { status } = reading
      const { busy, children } = childrenOf(status)
      return {
        status_page: 'up',
        name: status.pool,
        process_manager: status.kind,
        start_since_s: status.startSince,
        children,
        busy_children: busy,
        accepted_connections: status.acceptedConnections,
        listen_queue: status.listenQueue,
        max_listen_queue: status.maxListenQueue,
        listen_queue_length: status.listenQueueLength,
        idle_processes: status.idleProcesses,
        active_processes: status.activeProcesses,
        total_processes: status.totalProcesses,
        max_active_processes: status.maxActiveProcesses,
        max_children_reached: status.maxChildrenReached,
        slow_requests: status.slowRequests,
      }
    }
  }
}

function millisecondsSince(time: number): number {
  return Math.round(performance.now() - time)
}
