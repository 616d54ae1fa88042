/** One row of the option table: command line, environment, config file, `--help` and the docs follow from it. */
export interface OptionSpec {
  readonly name: string
  readonly alias?: string
  /** Names in the registry of commands. */
  readonly commands: readonly string[]
  /** `flag` takes no value on the command line; `list` may be given several times. */
  readonly kind: 'value' | 'list' | 'flag'
  /** As an operator would write it. */
  readonly default?: string
  /** What stands in for a default that is made up or derived, or that there is none. */
  readonly defaultDescription?: string
  readonly description: string
  /** Of the process, of one bridge, or only on the command line: neither in the environment nor in a config file. */
  readonly scope: 'process' | 'bridge' | 'command-line'
  /** Whether no two bridges can have the same. */
  readonly ofOneBridge?: true
  /** Also read from the file that `FPM_BRIDGE_<NAME>_FILE` names. */
  readonly secret?: true
}

/** Who has an option, and where it can be given. */
export type Group = Pick<OptionSpec, 'commands' | 'scope'>
type Details = Partial<Omit<OptionSpec, 'name' | 'description' | keyof Group>>

export function option(group: Group, name: string, details: Details, description: string): OptionSpec {
  return { name, ...group, kind: 'value', ...details, description }
}
