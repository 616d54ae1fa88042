import { expect } from 'vitest'
import { collectOptions } from '../../../src/command-line/sources.ts'
import { readPublishConfig, readRunConfig } from '../../../src/config/config.ts'
import { OptionError, type RawOptions } from '../../../src/config/reader.ts'

export type Given = Readonly<Record<string, string | readonly string[]>>

/** Options as the command line would give them, defaults included. */
function options(command: 'run' | 'publish', given: Given): RawOptions {
  const flags = Object.entries(given).map(
    ([name, value]) => [name, typeof value === 'string' ? [value] : value] as const,
  )
  return collectOptions(command, new Map(flags), {})
}

/** The configuration of `run` with these options beside the two it needs. */
export const run = (given: Given = {}) =>
  readRunConfig(options('run', { socket: '/run/fpm.sock', script: '/srv/worker.php', ...given }))
export const publish = (given: Given = {}, ...messages: string[]) =>
  readPublishConfig(options('publish', given), messages)

/** How these options are refused. */
export function refusal(read: () => unknown): [message: string, exitCode: number] {
  try {
    read()
  } catch (error) {
    expect(error).toBeInstanceOf(OptionError)
    return [(error as OptionError).message, (error as OptionError).exitCode]
  }
  return ['accepted', 0]
}
