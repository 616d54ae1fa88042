import type { BridgeEvent } from '../../src/bridge/events.ts'
import type { FinishedExecution, OutcomeCopy } from '../../src/bridge/facts.ts'
import type { DeadLetterCause } from '../../src/bridge/outcome.ts'
import type { BridgeView, PoolReading, PoolView, ProcessView } from '../../src/observe/views.ts'

/** A bridge that has nothing to do, unless told otherwise. */
export function bridgeView(given: Partial<BridgeView> = {}): BridgeView {
  return {
    name: 'commands',
    queue: 'commands',
    pool: '/run/fpm.sock',
    state: 'running',
    sessionUp: true,
    resting: false,
    pauses: [],
    hold: undefined,
    inFlight: 0,
    waiting: 0,
    concurrency: 4,
    counts: { executed: 0, retry: 0, refused: 0, lost: 0, 'dead-letter': 0, hold: 0 },
    executionTimes: () => undefined,
    executions: [],
    ...given,
  }
}

export function poolView(reading: PoolReading, obstacle?: string): PoolView {
  return {
    pool: '/run/fpm.sock',
    scrapeUri: 'unix:///run/fpm.sock;/status',
    obstacle: async () => obstacle,
    read: async () => reading,
  }
}

export function processView(given: Partial<ProcessView> = {}): ProcessView {
  return {
    daemonId: 'D-1',
    version: '1.2.3',
    draining: false,
    bridges: [bridgeView()],
    pools: [poolView({ kind: 'unknown' })],
    config: {},
    ...given,
  }
}

export const EXECUTION: FinishedExecution = {
  deliveryTag: 1,
  executionId: 'e-1',
  messageId: 'M-1',
  correlationId: undefined,
  type: undefined,
  attempt: 1,
  durationMs: 3,
}

export const EXECUTED: BridgeEvent = {
  kind: 'settled',
  by: 'ack',
  execution: EXECUTION,
  outcome: { kind: 'executed', status: 200 },
}

export function deadLettered(cause: DeadLetterCause): BridgeEvent {
  const copy = {
    purpose: 'dead-letter',
    execution: EXECUTION,
    outcome: { kind: 'dead-letter', cause, reason: 'a reason' },
    deadLetterQueue: 'commands.dead',
  } as const satisfies OutcomeCopy
  const { execution, outcome } = copy
  return {
    kind: 'settled',
    by: 'copy',
    execution,
    outcome,
    copy,
    copyTo: 'commands.dead',
    acked: true,
    parked: undefined,
  }
}
