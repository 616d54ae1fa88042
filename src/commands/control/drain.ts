import { setTimeout as sleep } from 'node:timers/promises'
import type { FleetClient } from '../../amqp/fleet-client.ts'
import { complain } from '../../command-line/output.ts'
import type { ControlConfig } from '../../config/control-config.ts'
import type { Invocation } from '../command.ts'
import { DrainWatch } from './drain-watch.ts'
import {
  bridgesOf,
  commandOf,
  complainOfErrors,
  complainOfSilence,
  concerned,
  counted,
  includeAll,
  sayDone,
  sayReports,
} from './reports.ts'
import { EXIT, withFleet } from './with-fleet.ts'

/** Milliseconds between two questions of one who waits. */
const INTERVAL = 500

/**
 * `fpm-bridge drain`: has daemons take no more and settle what they have; they stay, idle, until they are resumed or end.
 *
 * @returns the exit code: 0 told (with --wait: all have drained), 69 nobody answers, 75 not all have, in time
 * @throws {OptionError}
 */
export function drain(invocation: Invocation): Promise<number> {
  return withFleet(invocation, async (fleet, config) => {
    const reports = concerned(await fleet.ask('drain', commandOf(config)))
    if (reports.length === 0) {
      complainOfSilence()
      return EXIT.unavailable
    }
    const failed = complainOfErrors(reports)
    const inFlight = bridgesOf(reports).reduce((sum, bridge) => sum + bridge.in_flight, 0)
    sayDone(config, `${counted(reports.length, 'daemon')} told to drain; ${inFlight} in flight`)
    const watch = new DrainWatch(reports)
    const exitCode = failed === 0 && config.wait ? await waitFor(fleet, config, watch) : EXIT.done
    sayReports(config, watch.reports)
    return failed > 0 ? EXIT.incomplete : exitCode
  })
}

/** Until each of them has said that it has drained, or cannot any more. */
async function waitFor(fleet: FleetClient, config: ControlConfig, watch: DrainWatch): Promise<number> {
  for (const end = performance.now() + config.waitTimeout; watch.waiting.length > 0; ) {
    if (watch.failures.length > 0 || performance.now() >= end) break
    await sleep(Math.min(INTERVAL, Math.max(0, end - performance.now())))
    watch.hear(await fleet.ask('ping', commandOf(config), { enough: includeAll(watch.waiting) }))
  }
  for (const failure of watch.failures) complain(failure)
  if (watch.failures.length === 0 && watch.waiting.length > 0)
    complain(`not drained in time: ${watch.waiting.join(', ')}`)
  if (watch.failures.length + watch.waiting.length > 0) return EXIT.incomplete
  sayDone(config, `${counted(watch.reports.length, 'daemon')} drained`)
  return EXIT.done
}
