import { readFileSync } from 'node:fs'
import { parseCommandLine } from '../command-line/command-line.ts'
import type { Signals } from '../command-line/signals.ts'
import { collectOptions } from '../command-line/sources.ts'
import { COMMANDS } from './index.ts'

/**
 * From the arguments to the exit code.
 *
 * @throws {OptionError}
 */
export async function execute(args: readonly string[], signals: Signals): Promise<number> {
  const version = readVersion()
  const commandLine = await parseCommandLine(args, COMMANDS, version)
  if (commandLine.kind === 'help') return 0
  const { command, flags, words, faults } = commandLine
  const options = () => collectOptions(command.name, flags, process.env, faults)
  const run = await command.load()
  return run({ words, options, version, signals })
}

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
