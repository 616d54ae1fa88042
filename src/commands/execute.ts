import { readFileSync } from 'node:fs'
import { parseCommandLine } from '../command-line/command-line.ts'
import type { Signals } from '../command-line/signals.ts'
import { collectOptions } from '../command-line/sources.ts'
import { readPublishConfig } from '../config/publish-config.ts'
import { readRunConfig } from '../config/run-config.ts'

/**
 * From the arguments to the exit code.
 *
 * @throws {OptionError}
 */
export async function execute(args: readonly string[], signals: Signals): Promise<number> {
  const version = readVersion()
  const commandLine = await parseCommandLine(args, version)
  if (commandLine.kind === 'help') return 0
  const options = collectOptions(commandLine.name, commandLine.flags, process.env)
  // Each command loads what it needs: publishing should not wait for the daemon's modules.
  switch (commandLine.name) {
    case 'run': {
      const { run } = await import('./run.ts')
      return run(readRunConfig(options), version, signals)
    }
    case 'publish': {
      const { publish } = await import('./publish/publish.ts')
      return publish(readPublishConfig(options, commandLine.messages), signals)
    }
  }
}

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
