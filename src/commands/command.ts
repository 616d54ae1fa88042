import type { CommandSpec } from '../command-line/command-line.ts'
import type { Signals } from '../command-line/signals.ts'
import type { GivenOptions } from '../config/reader.ts'

/** What a command is started with. */
export interface Invocation {
  /** The arguments that are no flags, and what follows `--`. */
  readonly words: readonly string[]
  /**
   * Flags, environment and config file, the file as it is now.
   *
   * @throws {OptionError}
   */
  options(): GivenOptions
  /** Environment variables that look like options and are none, each with what may have been meant. */
  readonly unread: readonly string[]
  readonly version: string
  readonly signals: Signals
}

/** Resolves with the exit code. */
export type RunCommand = (invocation: Invocation) => Promise<number>

/** One row of the registry. */
export interface Command extends CommandSpec {
  /** Loads what the command needs, and nothing else: publishing should not wait for the daemon's modules. */
  load(): Promise<RunCommand>
}
