import { complain } from '../../command-line/output.ts'
import type { Invocation } from '../command.ts'
import {
  commandOf,
  complainOfErrors,
  complainOfSilence,
  counted,
  includeAll,
  processOf,
  sayDone,
  sayReports,
} from './reports.ts'
import { EXIT, withFleet } from './with-fleet.ts'

/** Milliseconds for what takes some: bridges that are new connect before the answer comes. */
const PATIENCE = 15_000

/**
 * `fpm-bridge reload`: has daemons read their configuration again, as SIGHUP does.
 *
 * @returns the exit code: 0 all that answer have, 69 nobody answers, 75 some have not
 * @throws {OptionError}
 */
export function reload(invocation: Invocation): Promise<number> {
  return withFleet(invocation, async (fleet, config) => {
    const command = commandOf(config)
    const there = await fleet.ask('ping', command)
    if (there.length === 0) {
      complainOfSilence()
      return EXIT.unavailable
    }
    const reports = await fleet.ask('reload', command, {
      within: PATIENCE,
      enough: includeAll(there.map(processOf)),
    })
    sayReports(config, reports)
    const failed = complainOfErrors(reports)
    const heard = new Set(reports.map(processOf))
    const silent = there.map(processOf).filter((name) => !heard.has(name))
    for (const name of silent)
      complain(`${name}: it did not say within ${PATIENCE / 1_000} s how it went; see the log there`)
    sayDone(config, `${counted(reports.length - failed, 'daemon')} reloaded`)
    return failed + silent.length > 0 ? EXIT.incomplete : EXIT.done
  })
}
