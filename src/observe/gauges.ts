import type { BridgeView } from './views.ts'

interface GaugeSpec {
  /** After `fpm_bridge_`. */
  readonly name: string
  readonly help: string
  readonly read: (bridge: BridgeView) => number
  /** Of two bridges that a queue has in one process for a moment. */
  readonly join: (one: number, other: number) => number
}

/** What is read of a bridge. A fleet shows the sum of its processes. */
export const GAUGES: readonly GaugeSpec[] = [
  gauge('in_flight', 'Messages that are executed, or not settled yet.', ({ inFlight }) => inFlight, sum),
  gauge('waiting', 'Messages that have been delivered and wait for a slot.', ({ waiting }) => waiting, sum),
  gauge('concurrency', 'Requests in flight at most.', ({ concurrency }) => concurrency, Math.max),
  gauge('session_up', 'How many processes have a session with a broker.', ({ sessionUp }) => +sessionUp),
  gauge('hold', 'How many processes can execute nothing.', ({ hold }) => +(hold !== undefined)),
  gauge('paused', 'How many processes operators have paused.', ({ pauses }) => +(pauses.length > 0)),
]

/** By queue, and then by name. Plain data, and numbers only. */
export type GaugesByQueue = Readonly<Record<string, Readonly<Record<string, number>>>>

/** @param bridges of one process */
export function gaugesOf(bridges: readonly BridgeView[]): GaugesByQueue {
  const byQueue = new Map<string, Map<string, number>>()
  for (const bridge of bridges) {
    const values = byQueue.get(bridge.queue) ?? new Map<string, number>()
    byQueue.set(bridge.queue, values)
    for (const { name, read, join } of GAUGES) values.set(name, join(values.get(name) ?? 0, read(bridge)))
  }
  return Object.fromEntries([...byQueue].map(([queue, values]) => [queue, Object.fromEntries(values)]))
}

function gauge(
  name: string,
  help: string,
  read: GaugeSpec['read'],
  join: GaugeSpec['join'] = Math.max,
): GaugeSpec {
  return { name, help, read, join }
}

function sum(one: number, other: number): number {
  return one + other
}
