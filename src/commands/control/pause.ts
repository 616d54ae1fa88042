import type { FleetClient } from '../../amqp/fleet-client.ts'
import { complain } from '../../command-line/output.ts'
import type { ControlConfig } from '../../config/control-config.ts'
import { OptionError } from '../../config/option-error.ts'
import { pauseQueue } from '../../operate/queue-pause.ts'
import type { Invocation } from '../command.ts'
import { complainOfErrors, complainOfOthers, concerned, counted, sayDone, sayReports } from './reports.ts'
import { EXIT, withFleet } from './with-fleet.ts'

/**
 * `fpm-bridge pause`: puts the marker beside the queue, and tells the daemons, which look at once. A second one replaces what the
 * first one says.
 *
 * @returns the exit code: 0 paused, 75 a daemon says that it has not obeyed, 78 there is no such queue
 * @throws {OptionError}
 */
export function pause(invocation: Invocation): Promise<number> {
  return withFleet(invocation, pauseAsked, ({ queue }) => {
    if (queue === undefined) throw new OptionError('--queue is required: which one is to be paused', 64)
  })
}

async function pauseAsked(fleet: FleetClient, config: ControlConfig): Promise<number> {
  const { queue = '' } = config
  const paused = await pauseQueue(fleet, queue, config)
  if (paused === undefined) {
    complain(`there is no queue "${queue}" at this broker and vhost`)
    return EXIT.configuration
  }
  const { note } = paused
  const reports = concerned(paused.reports)
  sayReports(config, reports)
  const failed = complainOfErrors(reports)
  const until = note.until === undefined ? 'until somebody resumes it' : `until ${note.until}`
  const obeying = reports.length - failed
  sayDone(
    config,
    obeying === 0
      ? `"${queue}" is paused ${until}; no daemon answered: those that start will find it paused`
      : `"${queue}" is paused ${until}: ${counted(obeying, 'daemon')} took notice`,
  )
  // Those that are paused consume no more.
  await complainOfOthers(fleet, queue, 0)
  return failed > 0 ? EXIT.incomplete : EXIT.done
}
