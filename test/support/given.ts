import { expect } from 'vitest'
import { readConfigFile } from '../../src/command-line/config-file.ts'
import { collectOptions } from '../../src/command-line/sources.ts'
import type { BridgeConfig } from '../../src/config/bridge-config.ts'
import { readInvokeConfig } from '../../src/config/invoke-config.ts'
import { OptionError } from '../../src/config/option-error.ts'
import { readPublishConfig } from '../../src/config/publish-config.ts'
import type { BridgeEntry, GivenOptions } from '../../src/config/reader.ts'
import { readRunConfig } from '../../src/config/run-config.ts'
import { readTopConfig } from '../../src/config/top-config.ts'

export type Given = Readonly<Record<string, string | readonly string[]>>

/** Options as the command line would give them, defaults included. */
export function options(command: 'run' | 'publish' | 'invoke' | 'check' | 'top', given: Given): GivenOptions {
  const flags = Object.entries(given).map(
    ([name, value]) => [name, typeof value === 'string' ? [value] : value] as const,
  )
  return collectOptions(command, new Map(flags), {}, readConfigFile)
}

/** The configuration of `run` with these options beside the two it needs. */
export const wholeRun = (given: Given = {}) =>
  readRunConfig(options('run', { socket: '/run/fpm.sock', script: '/srv/worker.php', ...given }))

/** The same, of the process and of its one bridge together. */
export const run = (given: Given = {}) => {
  const { process, bridges } = wholeRun(given)
  expect(bridges).toHaveLength(1)
  return { ...process, ...(bridges[0] as BridgeConfig) }
}
export const publish = (given: Given = {}, ...messages: string[]) =>
  readPublishConfig(options('publish', given), messages)

export const top = (given: Given = {}) => readTopConfig(options('top', given))

/** With the two options that it needs, and with the bridges of a file. */
export const invoke = (
  given: Given = {},
  words: string | readonly string[] = [],
  bridges?: readonly BridgeEntry[],
) => {
  const all = options('invoke', { socket: '/run/fpm.sock', script: '/srv/worker.php', ...given })
  const asked = new Map(
    [...all.options].filter(([name]) => bridges === undefined || !isDefaultOfOne(all, name)),
  )
  return readInvokeConfig({ ...all, options: asked, bridges }, [words].flat())
}

/** With several bridges there is no default of what only one can have. */
function isDefaultOfOne({ options: all }: GivenOptions, name: string): boolean {
  return ['name', 'queue'].includes(name) && all.get(name)?.origin === 'default'
}

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
