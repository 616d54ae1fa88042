import { BrokerError } from '../../amqp/broker-error.ts'
import { BrokerList } from '../../amqp/broker-list.ts'
import { Connections } from '../../amqp/connections.ts'
import { FleetClient } from '../../amqp/fleet-client.ts'
import { complain } from '../../command-line/output.ts'
import type { Signals } from '../../command-line/signals.ts'
import { type ControlConfig, readControlConfig } from '../../config/control-config.ts'
import { readReport } from '../../control/read-report.ts'
import { logLines } from '../../observe/log-lines.ts'
import { createLogger } from '../../observe/logger.ts'
import type { Invocation } from '../command.ts'
import { complainOfUnread } from '../tell-unread.ts'

/** sysexits */
export const EXIT = { done: 0, unavailable: 69, incomplete: 75, configuration: 78 } as const

/**
 * What all commands to daemons have in common: a connection to the broker, and an end of it.
 *
 * @param act resolves with the exit code
 * @param check throws an OptionError where the options are not enough
 * @returns that; 69 without a broker, 75 after a signal, 78 where the broker refuses
 * @throws {OptionError}
 */
export async function withFleet(
  { options, unread, signals }: Invocation,
  act: (fleet: FleetClient, config: ControlConfig) => Promise<number>,
  check: (config: ControlConfig) => void = () => {},
): Promise<number> {
  const config = readControlConfig(options())
  check(config)
  complainOfUnread(unread)
  const log = createLogger({ level: 'warn', format: 'text', stream: process.stderr, fields: {} })
  const brokers = new BrokerList(config.brokers, logLines(log))
  brokers.warnOfInsecure()
  const complete = async (): Promise<number> => {
    try {
      const fleet = await FleetClient.connect(brokers, new Connections('fpm-bridge'), readReport)
      try {
        return await act(fleet, config)
      } finally {
        await fleet.close()
      }
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      complain(error.message)
      return error.permanent ? EXIT.configuration : EXIT.unavailable
    }
  }
  return Promise.race([complete(), left(signals)])
}

function left(signals: Signals): Promise<number> {
  return new Promise((resolve) => {
    const ignore = (signal: NodeJS.Signals): void =>
      complain(`${signal} is ignored; SIGINT, SIGTERM and SIGQUIT stop`)
    signals.listen({
      end(signal) {
        complain(`stopped: ${signal}; what daemons have been told they do all the same`)
        resolve(EXIT.incomplete)
      },
      leave: () => resolve(EXIT.incomplete),
      hangUp: ignore,
      toggleDebug: ignore,
      ignore,
    })
  })
}
