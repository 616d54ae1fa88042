import type { SignalListener } from '../command-line/signals.ts'
import { OptionError } from '../config/option-error.ts'
import type { GivenOptions } from '../config/reader.ts'
import { type RunConfig, readRunConfig } from '../config/run-config.ts'
import type { Log } from '../observe/logger.ts'
import type { Configured } from './configured.ts'
import { refuseNonSockets } from './pool-sockets.ts'

/**
 * Reads the configuration of `run` again, with the flags and the environment of the start.
 *
 * @param daemonId where it is made up, it stays
 * @returns what is wrong with it, where it is wrong; the log says it, too
 */
export async function readAgain(
  options: () => GivenOptions,
  daemonId: string,
  log: Log,
): Promise<Configured | string> {
  try {
    const given = options()
    const config: RunConfig = readRunConfig(given, daemonId)
    await refuseNonSockets(config.bridges)
    return { given, config }
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    const reason = error.complaints.join('; ')
    log.error('Not reloaded: the configuration is wrong. The one before stays.', { reason })
    return reason
  }
}

/** For those who have nothing to read again. */
export function ignoreHangUp(log: Log): SignalListener['hangUp'] {
  return (signal) => log.warn('Ignored a signal: there is no --config to read again.', { signal })
}
