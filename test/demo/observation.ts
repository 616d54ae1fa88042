import { ApiError, type Broker } from '../support/broker-api.ts'
import { executionsBy, readWorkerLog } from '../support/worker-log.ts'
import { busyChildren } from './pool-status.ts'

/** What there is to see at one moment of the run. */
export interface Observation {
  /** Messages that the broker took from the callers. */
  readonly published: number
  readonly ready: number
  readonly unacked: number
  readonly busy: number
  /** Executions that began, by daemon id. */
  readonly byDaemon: ReadonlyMap<string, number>
  readonly executed: number
}

interface QueueStatistics {
  readonly messages_ready?: number
  readonly messages_unacknowledged?: number
  readonly message_stats?: { readonly publish?: number }
}

/** Looks at the broker (whose figures are up to 2 s old), the pool and the worker's log. */
export async function observe(
  broker: Broker,
  queue: string,
  statusSocket: string,
  workerLog: string,
): Promise<Observation> {
  const [statistics, busy] = await Promise.all([queueStatistics(broker, queue), busyChildren(statusSocket)])
  const executions = readWorkerLog(workerLog)
  return {
    published: statistics.message_stats?.publish ?? 0,
    ready: statistics.messages_ready ?? 0,
    unacked: statistics.messages_unacknowledged ?? 0,
    busy,
    byDaemon: executionsBy('daemonId', executions),
    executed: executions.length,
  }
}

async function queueStatistics(broker: Broker, queue: string): Promise<QueueStatistics> {
  try {
    return await broker.api<QueueStatistics>('GET', `/queues/%2F/${queue}`)
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return {} // not declared yet
    throw error
  }
}
