#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { parseCommandLine } from './cli/command-line.ts'
import { collectOptions } from './cli/sources.ts'
import { OptionError } from './config/reader.ts'
import { readPublishConfig, readRunConfig } from './config.ts'

/** EX_SOFTWARE: a fault of ours. */
const INTERNAL_FAULT = 70

async function main(args: readonly string[]): Promise<number> {
  const version = readVersion()
  const commandLine = await parseCommandLine(args, version)
  if (commandLine.kind === 'help') return 0
  const options = collectOptions(commandLine.name, commandLine.flags, process.env)
  // Each command loads what it needs: publishing should not wait for the daemon's modules.
  switch (commandLine.name) {
    case 'run': {
      const { run } = await import('./cli/run.ts')
      return run(readRunConfig(options), version)
    }
    case 'publish': {
      const { publish } = await import('./cli/publish.ts')
      return publish(readPublishConfig(options, commandLine.messages))
    }
  }
}

function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

function fail(error: unknown): number {
  if (error instanceof OptionError) {
    process.stderr.write(`fpm-bridge: ${error.message}\n`)
    return error.exitCode
  }
  const detail = error instanceof Error ? error.stack : String(error)
  process.stderr.write(`fpm-bridge: internal fault, please report it: ${detail}\n`)
  return INTERNAL_FAULT
}

// A reader that went away (`fpm-bridge publish --verbose | head`) costs its lines, not the messages.
process.stdout.on('error', () => {})
process.on('uncaughtException', (error) => process.exit(fail(error)))
process.exit(await main(process.argv.slice(2)).catch(fail))
