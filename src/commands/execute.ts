import manifest from '../../package.json' with { type: 'json' }
import { parseCommandLine } from '../command-line/command-line.ts'
import type { Signals } from '../command-line/signals.ts'
import { collectOptions, configPath, type Flags, type ReadFile } from '../command-line/sources.ts'
import { unreadVariables } from '../command-line/unread-variables.ts'
import { CHILD_ID } from '../config/child-id.ts'
import { OptionError } from '../config/option-error.ts'
import { COMMANDS } from './index.ts'
import { complainOfUnread } from './tell-unread.ts'

/**
 * From the arguments to the exit code.
 *
 * @throws {OptionError}
 */
export async function execute(args: readonly string[], signals: Signals): Promise<number> {
  const { version } = manifest
  const commandLine = await parseCommandLine(args, COMMANDS, version)
  if (commandLine.kind === 'help') return 0
  const { command, flags, words, faults } = commandLine
  const readFile = await fileReader(flags)
  const options = () => collectOptions(command.name, flags, process.env, readFile, faults)
  const run = await command.load()
  // In a fleet the supervisor says it, once.
  const unread = process.env[CHILD_ID] === undefined ? unreadVariables(process.env) : []
  try {
    return await run({ words, options, unread, version, signals })
  } catch (error) {
    // What is missing may be there, with its name misspelt.
    if (error instanceof OptionError) complainOfUnread(unread)
    throw error
  }
}

/** The YAML parser takes long to load: only where there is a file. */
async function fileReader(flags: Flags): Promise<ReadFile | undefined> {
  if (configPath(flags, process.env) === undefined) return undefined
  return (await import('../command-line/config-file.ts')).readConfigFile
}
