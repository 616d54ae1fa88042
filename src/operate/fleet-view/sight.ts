import type { QueueCounts } from '../../amqp/topology.ts'
import type { BridgeReport, DaemonReport, FailureReport, PoolReport } from '../../control/protocol.ts'

/** A fleet at a moment. Plain data. */
export interface FleetSight {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly daemons: readonly DaemonReport[]
  /** By name. */
  readonly queues: readonly QueueSight[]
  /** Each once for each host. */
  readonly pools: readonly (PoolReport & { readonly host: string })[]
  /** The latest first. */
  readonly failures: readonly FailureReport[]
}

/** A queue, with the bridges that consume it. */
export interface QueueSight {
  readonly queue: string
  /** Undefined: nobody has looked. */
  readonly counts: QueueCounts | undefined
  /** One at least. */
  readonly bridges: readonly BridgeSight[]
}

export interface BridgeSight {
  readonly daemon: DaemonReport
  readonly bridge: BridgeReport
  /** Messages a second since the look before, by outcome; undefined where there is none to compare with. */
  readonly rates: Readonly<Record<string, number>> | undefined
  /** Whether it has not answered this time. */
  readonly silent: boolean
}

/** Which process it is, whatever has the same id. */
export function processOf({ daemon_id: id, host, pid }: DaemonReport): string {
  return JSON.stringify([id, host, pid])
}

/** Which bridge of which process it is, whatever has the same id. */
export function keyOf({ daemon_id: id, host, pid }: DaemonReport, { queue, name }: BridgeReport): string {
  return JSON.stringify([id, host, pid, queue, name])
}
