#!/usr/bin/env node
import { fileLimitFault } from './command-line/file-limit.ts'
import { complain, lastWords } from './command-line/output.ts'
import { closeInspector, Signals } from './command-line/signals.ts'
import { OptionError } from './config/option-error.ts'

/** sysexits: the surroundings are wrong, or we are. */
const [CONFIGURATION, INTERNAL_FAULT] = [78, 70]

async function main(): Promise<number> {
  const signals = new Signals(process)
  leaveDeletedFolder()
  // All else is loaded after that: it takes longer than Node.js itself, and a signal must not end it half-way.
  const { execute } = await import('./commands/execute.ts')
  await closeInspector()
  return execute(process.argv.slice(2), signals)
}

/** A deploy may delete the folder that we were started in. yargs asks for it as it is loaded, and Node.js throws then. */
function leaveDeletedFolder(): void {
  try {
    process.cwd()
  } catch {
    process.chdir('/')
  }
}

function fail(error: unknown): number {
  if (error instanceof OptionError) {
    for (const line of error.complaints) complain(line)
    return error.exitCode
  }
  const limit = fileLimitFault(error)
  if (limit !== undefined) {
    complain(limit)
    return CONFIGURATION
  }
  const detail = error instanceof Error ? error.stack : String(error)
  process.stderr.write(`fpm-bridge: internal fault, please report it: ${detail}\n`)
  return INTERNAL_FAULT
}

// A reader that went away (`fpm-bridge publish --verbose | head`) costs its lines, not the messages.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})
process.on('uncaughtException', (error) => process.exit(fail(error)))
const exitCode = await main().catch(fail)
await lastWords()
process.exit(exitCode)
