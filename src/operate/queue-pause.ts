import { hostname, userInfo } from 'node:os'
import type { FleetClient } from '../amqp/fleet-client.ts'
import type { Command, DaemonReport, PauseNote } from '../control/protocol.ts'

/** Why a queue is paused, and for how long. */
export interface PauseWish {
  readonly reason?: string | undefined
  /** Milliseconds; undefined: until it is resumed. */
  readonly for?: number | undefined
}

export interface PausedQueue {
  readonly note: PauseNote
  /** How daemons are that have answered. */
  readonly reports: readonly DaemonReport[]
}

/**
 * Puts the marker beside the queue, and has all daemons look.
 *
 * @returns undefined where there is no such queue: one that is misspelt would be paused without a word, and the one that is meant would go on
 * @throws {BrokerError}
 */
export async function pauseQueue(
  fleet: FleetClient,
  queue: string,
  { reason, for: time }: PauseWish,
): Promise<PausedQueue | undefined> {
  if ((await fleet.countsOf(queue)) === undefined) return undefined
  const now = Date.now()
  const note: PauseNote = {
    by: `${userName()}@${hostname()}`,
    at: timeAt(now),
    ...(reason !== undefined && { reason }),
    ...(time !== undefined && { until: timeAt(now + time) }),
  }
  await fleet.pause(queue, note)
  return { note, reports: await fleet.ask('pause', { queue }) }
}

export interface Resumed {
  /** Whether there was a marker, which is gone now. */
  readonly wasPaused: boolean
  /** How daemons are that have answered. */
  readonly reports: readonly DaemonReport[]
}

/**
 * Takes the marker away where a queue is named, and no daemon, since a pause is of the queue; and has daemons take messages again, after
 * a drain as well.
 *
 * @throws {BrokerError}
 */
export async function resumeQueue(fleet: FleetClient, command: Command): Promise<Resumed> {
  const { queue, daemon } = command
  const wasPaused = queue !== undefined && daemon === undefined && (await fleet.resume(queue))
  return { wasPaused, reports: await fleet.ask('resume', command) }
}

/** ISO 8601, to the second. */
function timeAt(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** Some containers run under a number that has no name. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'somebody')
  }
}
