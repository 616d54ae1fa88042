import { say } from '../../command-line/output.ts'
import type { BridgeReport, DaemonReport } from '../../control/protocol.ts'
import type { Invocation } from '../command.ts'
import { fleetTable } from './fleet-table.ts'
import { reasonsOf } from './report-text.ts'
import {
  bridgesOf,
  commandOf,
  complainOfErrors,
  complainOfOthers,
  complainOfSilence,
  concerned,
  mayConsume,
  sayReports,
} from './reports.ts'
import { EXIT, withFleet } from './with-fleet.ts'

/**
 * `fpm-bridge ps`: all daemons that answer within a second, a line for each of their bridges.
 *
 * @returns the exit code: 0, or 69 where nobody answers
 * @throws {OptionError}
 */
export function ps(invocation: Invocation): Promise<number> {
  return withFleet(invocation, async (fleet, config) => {
    const reports = concerned(await fleet.ask('ping', commandOf(config)))
    sayReports(config, reports)
    if (!config.json && reports.length > 0) for (const line of linesOf(reports)) say(line)
    complainOfErrors(reports)
    const bridges = bridgesOf(reports)
    for (const queue of queuesOf(config.queue, bridges)) {
      const consuming = bridges.filter((bridge) => bridge.queue === queue && mayConsume(bridge))
      await complainOfOthers(fleet, queue, consuming.length)
    }
    if (reports.length > 0) return EXIT.done
    complainOfSilence()
    return EXIT.unavailable
  })
}

/** On a terminal no line is longer than that, and reasons stand below; elsewhere there is one line for each bridge, with all of it. */
function linesOf(reports: readonly DaemonReport[]): readonly string[] {
  const { isTTY, columns } = process.stdout
  return isTTY ? [...fleetTable(reports, columns), ...reasonsOf(reports)] : fleetTable(reports, undefined)
}

function queuesOf(asked: string | undefined, bridges: readonly BridgeReport[]): Iterable<string> {
  return new Set([...(asked === undefined ? [] : [asked]), ...bridges.map(({ queue }) => queue)])
}
