import type { BridgeConfig } from './bridge-config.ts'
import { readBridgeConfig } from './bridge-options.ts'
import { readBridges } from './bridges.ts'
import { allOf, Faults } from './option-error.ts'
import { type ProcessConfig, randomDaemonId, readProcessConfig } from './process-config.ts'
import { type GivenOptions, OptionReader } from './reader.ts'

/** Everything `fpm-bridge run` does follows from this; frozen. */
export interface RunConfig {
  readonly process: ProcessConfig
  /** One at least; no queue and no name twice. */
  readonly bridges: readonly BridgeConfig[]
}

/**
 * @param runningId the daemon id that is in use already: an id that was made up stays, and that of a bridge cannot change
 * @throws {OptionError} of all that is wrong, each with its option and where its value came from
 */
export function readRunConfig(given: GivenOptions, runningId?: string): RunConfig {
  const { options, bridges: entries } = given
  const madeUpId = runningId ?? randomDaemonId()
  const read = new OptionReader(options)
  const idOfBridges = runningId ?? options.get('daemon-id')?.values[0] ?? madeUpId
  const { process, bridges } = allOf({
    faults: () => new Faults(given.faults).throwAny(),
    process: () => readProcessConfig(read, madeUpId),
    bridges: () =>
      entries === undefined
        ? [readBridgeConfig(read, idOfBridges)]
        : readBridges(options, entries, idOfBridges),
  })
  return Object.freeze({ process, bridges: Object.freeze(bridges) })
}
