import { complain } from '../../command-line/output.ts'
import { resumeQueue } from '../../operate/queue-pause.ts'
import type { Invocation } from '../command.ts'
import { bridgesOf, commandOf, complainOfErrors, concerned, counted, sayDone, sayReports } from './reports.ts'
import { EXIT, withFleet } from './with-fleet.ts'

/**
 * `fpm-bridge resume`: takes the marker of a pause away where a queue is named, and has daemons take messages again, after a drain as
 * well.
 *
 * @returns the exit code: 0, 69 where there was no pause to end and nobody answers, 75 a daemon says that it has not obeyed
 * @throws {OptionError}
 */
export function resume(invocation: Invocation): Promise<number> {
  return withFleet(invocation, async (fleet, config) => {
    const { queue, daemon } = config
    const resumed = await resumeQueue(fleet, commandOf(config))
    const { wasPaused } = resumed
    const reports = concerned(resumed.reports)
    sayReports(config, reports)
    const failed = complainOfErrors(reports)
    if (wasPaused) sayDone(config, `"${queue}" is not paused any more`)
    else if (queue !== undefined && daemon === undefined) sayDone(config, `"${queue}" was not paused`)
    if (reports.length > 0) sayDone(config, `${counted(reports.length - failed, 'daemon')} took notice`)
    const paused = new Set(
      bridgesOf(reports)
        .filter(({ state }) => state === 'paused')
        .map((bridge) => bridge.queue),
    )
    for (const each of paused) complain(`"${each}" is still paused: fpm-bridge resume --queue ${each}`)
    if (reports.length === 0) complain('no daemon answered')
    if (failed > 0) return EXIT.incomplete
    return reports.length === 0 && !wasPaused ? EXIT.unavailable : EXIT.done
  })
}
