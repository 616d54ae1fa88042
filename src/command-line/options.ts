import { COMMAND_OPTIONS } from './command-options.ts'
import { CONFIG_FILE, CONFIG_OPTIONS } from './config-options.ts'
import type { OptionSpec } from './option-spec.ts'

/** The one option table, in the order of `--help`. */
export const OPTIONS: readonly OptionSpec[] = [...CONFIG_OPTIONS, ...COMMAND_OPTIONS, CONFIG_FILE]

/** The environment variable of an option. */
export function environmentName(option: string): string {
  return `FPM_BRIDGE_${option.toUpperCase().replaceAll('-', '_')}`
}
