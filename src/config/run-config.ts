import { type BridgeConfig, readBridgeConfig } from './bridge-config.ts'
import { type ProcessConfig, readProcessConfig } from './process-config.ts'
import { OptionReader, type RawOptions } from './reader.ts'

/** Everything `fpm-bridge run` does follows from this; frozen. */
export interface RunConfig {
  readonly process: ProcessConfig
  /** One at least; no queue twice. */
  readonly bridges: readonly BridgeConfig[]
}

/**
 * @param daemonId that is in use, where a process reads its configuration again
 * @throws {OptionError} naming the option at fault, and where its value came from
 */
export function readRunConfig(options: RawOptions, daemonId?: string): RunConfig {
  const read = new OptionReader(options)
  const process = readProcessConfig(read, daemonId)
  return Object.freeze({ process, bridges: Object.freeze([readBridgeConfig(read, process.daemonId)]) })
}
