import { say } from '../../command-line/output.ts'
import { OptionReader } from '../../config/reader.ts'
import { readRunConfig } from '../../config/run-config.ts'
import { flag } from '../../config/values.ts'
import type { Invocation } from '../command.ts'
import { complainOfUnread } from '../tell-unread.ts'
import { effectiveConfig, printed } from './effective.ts'
import { configSchema } from './schema.ts'
import { formatConfig } from './text.ts'

/** What it prints. */
const PRINTED = { check: flag, json: flag, schema: flag }

/**
 * `fpm-bridge config`: what `run` would go by, and why; with `--check` nothing but what is wrong with it.
 *
 * @returns the exit code: 0
 * @throws {OptionError} of all that is wrong
 */
export async function config({ options, unread }: Invocation): Promise<number> {
  const given = options()
  const print = new OptionReader(given.options).values(PRINTED)
  if (print.schema) {
    sayJson(configSchema())
    return 0
  }
  const effective = effectiveConfig(given, readRunConfig(given))
  complainOfUnread(unread)
  if (print.check) return 0
  if (print.json) sayJson(printed(effective))
  else for (const line of formatConfig(effective, given.bridges !== undefined)) say(line)
  return 0
}

function sayJson(value: unknown): void {
  for (const line of JSON.stringify(value, undefined, 2).split('\n')) say(line)
}
