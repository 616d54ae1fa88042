import type { FleetProcess, FleetView } from './fleet-views.ts'
import { poolsStatusOf, systemStatusOf } from './status.ts'

/** All that /status says of a fleet; docs/metrics.md has each field. */
export async function fleetStatusOf(view: FleetView): Promise<object> {
  return {
    ...systemStatusOf(view),
    processes: view.slots.flatMap(({ id, processes }) => processes.map((each) => statusOf(id, each))),
    pools: await poolsStatusOf(view.pools),
    records: view.records,
  }
}

function statusOf(id: string, { pid, startedAt, silentSince, report, status }: FleetProcess): object {
  const now = performance.now()
  return {
    daemon_id: id,
    pid,
    answers: report !== undefined && silentSince === undefined,
    silent_ms: silentSince === undefined ? undefined : Math.round(now - silentSince),
    ...(status ?? { state: 'starting', uptime_s: Math.round((now - startedAt) / 1_000) }),
  }
}
