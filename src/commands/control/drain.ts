import { setTimeout as sleep } from 'node:timers/promises'
import type { FleetClient } from '../../amqp/fleet-client.ts'
import { complain, say } from '../../command-line/output.ts'
import type { ControlConfig } from '../../config/control-config.ts'
import type { DaemonReport } from '../../control/protocol.ts'
import type { Invocation } from '../command.ts'
import { bridgesOf, commandOf, complainOfErrors, concerned, counted, processOf } from './reports.ts'
import { EXIT, withFleet } from './with-fleet.ts'

/** Milliseconds between two questions of one who waits, and so many unanswered ones mean that a daemon is gone. */
const INTERVAL = 500
const MISSED = 3

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
      complain('no daemon answers: none with --control runs at this broker and vhost, or consumes that queue')
      return EXIT.unavailable
    }
    const failed = complainOfErrors(reports)
    const inFlight = bridgesOf(reports).reduce((sum, bridge) => sum + bridge.in_flight, 0)
    say(`${counted(reports.length, 'daemon')} told to drain; ${inFlight} in flight`)
    if (failed > 0) return EXIT.incomplete
    return config.wait ? waitFor(fleet, config, reports) : EXIT.done
  })
}

/** Until each of them has said that it has drained. */
async function waitFor(
  fleet: FleetClient,
  config: ControlConfig,
  told: readonly DaemonReport[],
): Promise<number> {
  const waiting = new Map(told.map((report) => [processOf(report), 0]))
  const hear = (reports: readonly DaemonReport[]): void => {
    for (const report of reports) {
      const name = processOf(report)
      if (!waiting.has(name)) continue
      if (report.bridges.every(({ state }) => state === 'drained')) waiting.delete(name)
      else waiting.set(name, 0)
    }
  }
  hear(told)
  const end = performance.now() + config.waitTimeout
  while (waiting.size > 0) {
    const gone = [...waiting].filter(([, missed]) => missed >= MISSED).map(([name]) => name)
    if (gone.length > 0) {
      complain(`gone before it said that it had drained: ${gone.join(', ')}`)
      return EXIT.incomplete
    }
    if (performance.now() >= end) {
      complain(`not drained in time: ${[...waiting.keys()].join(', ')}`)
      return EXIT.incomplete
    }
    await sleep(INTERVAL)
    for (const [name, missed] of waiting) waiting.set(name, missed + 1)
    hear(await fleet.ask('ping', commandOf(config), { expected: told.length }))
  }
  say(`${counted(told.length, 'daemon')} drained`)
  return EXIT.done
}
