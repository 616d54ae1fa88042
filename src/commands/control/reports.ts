import type { FleetClient } from '../../amqp/fleet-client.ts'
import { complain, say } from '../../command-line/output.ts'
import type { ControlConfig } from '../../config/control-config.ts'
import type { BridgeReport, Command, DaemonReport } from '../../control/protocol.ts'

/** @returns the body of a command to those that the options name */
export function commandOf({ queue, daemon }: Pick<ControlConfig, 'queue' | 'daemon'>): Command {
  return { ...(queue !== undefined && { queue }), ...(daemon !== undefined && { daemon }) }
}

/** Which process it is, whatever has the same id. */
export function processOf({ daemon_id: id, host, pid }: DaemonReport): string {
  return `${id} (${host}, pid ${pid})`
}

/** A daemon that consumes other queues answers a command that names one, and has no bridges to tell of. */
export function concerned(reports: readonly DaemonReport[]): readonly DaemonReport[] {
  return reports.filter(({ bridges, error }) => bridges.length > 0 || error !== undefined)
}

export function bridgesOf(reports: readonly DaemonReport[]): readonly BridgeReport[] {
  return reports.flatMap(({ bridges }) => bridges)
}

/** What daemons have answered, for programs: a line of JSON each. Nothing else is on standard output then. */
export function sayReports({ json }: ControlConfig, reports: readonly DaemonReport[]): void {
  if (json) for (const report of reports) say(JSON.stringify(report))
}

/** What has been done, for people. */
export function sayDone({ json }: ControlConfig, text: string): void {
  if (json) complain(text)
  else say(text)
}

/** @returns how many have not obeyed; each says why */
export function complainOfErrors(reports: readonly DaemonReport[]): number {
  const failed = reports.filter(({ error }) => error !== undefined)
  for (const report of failed) complain(`${processOf(report)}: ${report.error}`)
  return failed.length
}

export function complainOfSilence(): void {
  complain('no daemon answers: none with --control runs at this broker and vhost, or consumes that queue')
}

/** A bridge that is paused or has drained keeps its session, and has no consumer. */
export function mayConsume({ state, session }: BridgeReport): boolean {
  return session === 'up' && (state === 'running' || state === 'held')
}

/**
 * The broker counts consumers, of whoever; those that do not answer do not know of commands.
 *
 * @param known consumers of those that have answered
 */
export async function complainOfOthers(fleet: FleetClient, queue: string, known: number): Promise<void> {
  const counts = await fleet.countsOf(queue)
  const others = (counts?.consumers ?? 0) - known
  if (others > 0)
    complain(
      `queue "${queue}" has ${others} more ${others === 1 ? 'consumer' : 'consumers'}, which did not answer: without --control, or no daemons of ours`,
    )
}

/** @returns whether reports of all these processes are among some */
export function includeAll(processes: Iterable<string>): (reports: readonly DaemonReport[]) => boolean {
  const expected = [...processes]
  return (reports) => {
    const names = new Set(reports.map(processOf))
    return expected.every((name) => names.has(name))
  }
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
