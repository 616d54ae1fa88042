import type { QueueCounts } from '../../amqp/topology.ts'
import type { DaemonReport } from '../../control/protocol.ts'
import { type BridgeSight, type FleetSight, keyOf, processOf, type QueueSight } from './sight.ts'
import type { FleetLook } from './source.ts'

/** Looks in turn that a daemon may miss: it may be busy. */
const MISSED = 3
/** Failures of the whole fleet that are kept. */
const MAX_FAILURES = 20

interface Seen {
  readonly report: DaemonReport
  /** When that was, in milliseconds of a clock that nobody sets. */
  readonly at: number
  readonly missed: number
}

/** Makes of one look after the other what there is to be seen: rates, and who is silent. It remembers the last look, and no more. */
export class FleetFollower {
  /** By process. */
  #seen: ReadonlyMap<string, Seen> = new Map()

  /**
   * @param now milliseconds of a clock that nobody sets
   * @param time milliseconds since the epoch
   */
  take({ daemons, queues }: FleetLook, now: number, time: number): FleetSight {
    const before = this.#seen
    const seen = new Map<string, Seen>(
      daemons.map((report) => [processOf(report), { report, at: now, missed: 0 }]),
    )
    for (const [key, { report, at, missed }] of before)
      if (!seen.has(key) && missed < MISSED) seen.set(key, { report, at, missed: missed + 1 })
    this.#seen = seen
    const shown = [...seen.values()]
    const bridges = shown.flatMap((each) => bridgesOf(each, before.get(processOf(each.report))))
    return {
      at: time,
      daemons: shown.map(({ report }) => report),
      queues: byQueue(bridges, queues),
      pools: poolsOf(shown.map(({ report }) => report)),
      failures: shown
        .flatMap(({ report }) => report.failures ?? [])
        .sort((one, other) => compare(other.time, one.time))
        .slice(0, MAX_FAILURES),
    }
  }
}

function bridgesOf({ report, at, missed }: Seen, before: Seen | undefined): readonly BridgeSight[] {
  const seconds = before === undefined ? 0 : (at - before.at) / 1_000
  const counts = new Map(before?.report.bridges.map((bridge) => [keyOf(report, bridge), bridge.messages]))
  return report.bridges.map((bridge) => ({
    daemon: report,
    bridge,
    rates: ratesOf(bridge.messages, counts.get(keyOf(report, bridge)), seconds),
    silent: missed > 0,
  }))
}

/** A reload begins with 0 anew. */
function ratesOf(
  now: Readonly<Record<string, number>>,
  before: Readonly<Record<string, number>> | undefined,
  seconds: number,
): BridgeSight['rates'] {
  if (before === undefined || seconds <= 0) return undefined
  const rates = Object.entries(now).map(
    ([outcome, count]) => [outcome, count - (before[outcome] ?? 0)] as const,
  )
  if (rates.some(([, count]) => count < 0)) return undefined
  return Object.fromEntries(rates.map(([outcome, count]) => [outcome, count / seconds]))
}

function byQueue(
  bridges: readonly BridgeSight[],
  counts: ReadonlyMap<string, QueueCounts>,
): readonly QueueSight[] {
  const queues = new Map<string, BridgeSight[]>()
  for (const sight of bridges) {
    const others = queues.get(sight.bridge.queue)
    if (others === undefined) queues.set(sight.bridge.queue, [sight])
    else others.push(sight)
  }
  return [...queues]
    .sort(([one], [other]) => compare(one, other))
    .map(([queue, those]) => ({
      queue,
      counts: counts.get(queue),
      bridges: those.sort(
        (one, other) =>
          compare(one.daemon.daemon_id, other.daemon.daemon_id) || one.daemon.pid - other.daemon.pid,
      ),
    }))
}

function poolsOf(daemons: readonly DaemonReport[]): FleetSight['pools'] {
  const pools = new Map<string, FleetSight['pools'][number]>()
  for (const { host, pools: told = [] } of daemons)
    for (const pool of told) pools.set(`${host} ${pool.pool}`, { ...pool, host })
  return [...pools.values()].sort(
    (one, other) => compare(one.pool, other.pool) || compare(one.host, other.host),
  )
}

function compare(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}
