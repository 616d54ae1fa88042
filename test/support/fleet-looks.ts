import type { BridgeReport, DaemonReport } from '../../src/control/protocol.ts'
import { FleetFollower } from '../../src/operate/fleet-view/follower.ts'
import type { FleetLook } from '../../src/operate/fleet-view/source.ts'

/** A bridge of the queue `mails`, unless told otherwise. */
export function bridgeReport(given: Partial<BridgeReport> = {}): BridgeReport {
  const queue = given.queue ?? 'mails'
  return {
    name: queue,
    queue,
    state: 'running',
    session: 'up',
    in_flight: 3,
    concurrency: 4,
    waiting: 1,
    messages: { executed: 100, retry: 2, refused: 0, lost: 0, 'dead-letter': 1, hold: 0 },
    rate: 12.34,
    execution_ms: { count: 100, p50: 2.34, p95: 40.4, p99: 1_234.5, max: 20_000 },
    age_s: 75,
    ...given,
  }
}

/** A daemon with these bridges. */
export function daemonReport(
  id: string,
  bridges: readonly BridgeReport[],
  more: Partial<DaemonReport> = {},
): DaemonReport {
  return { daemon_id: id, host: 'web1', pid: 7, version: '1.2.3', uptime_s: 3_725, bridges, ...more }
}

export function lookAt(
  daemons: readonly DaemonReport[],
  ready: Readonly<Record<string, number>> = {},
): FleetLook {
  const counts = Object.entries(ready).map(
    ([queue, messages]) => [queue, { messages, consumers: 1 }] as const,
  )
  return { daemons, queues: new Map(counts) }
}

/** What there is to be seen after these looks, a second from one to the next; 14:02:03 is the time of all. */
export function sightOf(...looks: readonly FleetLook[]) {
  const follower = new FleetFollower()
  const time = Date.parse('2026-03-01T14:02:03Z')
  return looks.map((look, second) => follower.take(look, second * 1_000, time)).at(-1)
}
