import yargs, { type Argv } from 'yargs'
import { OptionError } from '../config/reader.ts'
import { OPTIONS, type OptionSpec } from './options.ts'
import type { Flags } from './sources.ts'

/** A command as the command line and `--help` know it. Its options are rows of the option table. */
export interface CommandSpec {
  readonly name: string
  /** Whether it is meant where none is named. */
  readonly byDefault?: true
  /** What follows the name in the first lines of `--help`. */
  readonly usage: string
  readonly summary: string
  /** Arguments that are no flags; without this there are none. */
  readonly words?: { readonly name: string; readonly description: string }
  readonly examples?: readonly (readonly [commandLine: string, meaning: string])[]
}

/** What the command line asks for. `help`: its text has been printed (`--help`, `--version`). */
export type CommandLine<C extends CommandSpec> =
  | {
      readonly kind: 'command'
      readonly command: C
      readonly flags: Flags
      readonly words: readonly string[]
    }
  | { readonly kind: 'help' }

type Argument = Readonly<Record<string, unknown>>

const EPILOGUE = `Also read from the environment (FPM_BRIDGE_QUEUE for --queue) and from --config.
Exit codes: 0 done, 64 usage, 65 bad input, 69 no broker, 70 internal fault, 75 not all done, 78 configuration.`

/**
 * Reads the command line. Values stay text: what they may be is decided in one place for all sources.
 *
 * @param commands of which one is the default
 * @throws {OptionError} for unknown commands and flags, and for a flag without its value
 */
export async function parseCommandLine<C extends CommandSpec>(
  args: readonly string[],
  commands: readonly C[],
  version: string,
): Promise<CommandLine<C>> {
  let parsed: CommandLine<C> = { kind: 'help' }
  refuseMisusedSwitches(args)
  // The folder is only for what is not used here; the one that we were started in may be gone.
  const parser = yargs([...args], '/')
    .scriptName('fpm-bridge')
    // Its words stand beside ours.
    .locale('en')
    .parserConfiguration({
      'boolean-negation': true,
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      // What follows `--` is taken literally.
      'populate--': true,
      'strip-aliased': true,
    })
    .usage(commands.map(usageLine).join('\n'))
    .version(version)
    .help()
    .alias('help', 'h')
    .wrap(Math.min(110, process.stdout.columns ?? 110))
    .strict()
    .exitProcess(false)
    .fail((message, error) => {
      // yargs tells what is wrong with the command line as a message or as an error of its own.
      if (error !== undefined && error !== null && error.name !== 'YError') throw error
      throw new OptionError(`${(message ?? error.message).replace(/\n.*/s, '')}; see fpm-bridge --help`, 64)
    })
  for (const command of commands) {
    const { name, words, byDefault, summary } = command
    const pattern = words === undefined ? name : `${name} [${words.name}..]`
    parser.command(byDefault ? [pattern, '$0'] : pattern, summary, describe(command), (argv: Argument) => {
      parsed = { kind: 'command', command, flags: readFlags(name, argv), words: readWords(command, argv) }
    })
  }
  await parser.parseAsync()
  return parsed
}

function usageLine({ name, byDefault, usage }: CommandSpec): string {
  return `$0 ${byDefault ? `[${name}]` : name} ${usage}`
}

function describe({ name, words, examples = [] }: CommandSpec): (builder: Argv) => Argv {
  return (builder) => {
    if (words !== undefined)
      builder.positional(words.name, { type: 'string', array: true, describe: words.description })
    for (const [commandLine, meaning] of examples) builder.example(`$0 ${commandLine}`, meaning)
    for (const spec of OPTIONS) if (spec.commands.includes(name)) builder.option(spec.name, yargsOption(spec))
    return builder.epilogue(EPILOGUE)
  }
}

function yargsOption(spec: OptionSpec) {
  const fallback = spec.kind === 'flag' ? onByDefault(spec) : (spec.defaultDescription ?? spec.default)
  return {
    ...(spec.alias === undefined ? {} : { alias: spec.alias }),
    // Without a type it is text, too, and --help does not say "[string]" of each.
    ...(spec.kind === 'flag' ? { type: 'boolean' as const } : { requiresArg: true }),
    describe: fallback === undefined ? spec.description : `${spec.description} [${fallback}]`,
  }
}

function onByDefault(spec: OptionSpec): 'on' | undefined {
  return spec.default === 'true' ? 'on' : undefined
}

function readWords({ name, words }: CommandSpec, argv: Argument): readonly string[] {
  const given = [words === undefined ? [] : (argv[words.name] ?? []), argv['--'] ?? []].flat().map(String)
  if (words === undefined && given.length > 0) throw new OptionError(`${name} takes no argument after --`, 64)
  return given
}

/** Only what was given: yargs has no defaults here, or they would hide environment and file. */
function readFlags(command: string, argv: Argument): Flags {
  const flags = new Map<string, readonly string[]>()
  for (const { name, commands, kind } of OPTIONS) {
    const value = argv[name]
    if (!commands.includes(command) || value === undefined) continue
    const values = Array.isArray(value) ? value.map(String) : [String(value)]
    if (value === false && kind !== 'flag') throw new OptionError(`--${name} cannot be switched off`, 64)
    if (values.length > 1 && kind !== 'list')
      throw new OptionError(`--${name} is given ${values.length} times; it takes one value`, 64)
    flags.set(name, values)
  }
  return flags
}

/** yargs takes the last of several, and any value but `true` for off. */
function refuseMisusedSwitches(args: readonly string[]): void {
  const end = args.indexOf('--')
  const flags = end === -1 ? args : args.slice(0, end)
  for (const { name, kind } of OPTIONS) {
    if (kind !== 'flag') continue
    const given = flags.filter(
      (arg) => arg.replace(/=.*/s, '').replace(/^--(no-)?/, '') === name && arg.startsWith('--'),
    )
    if (given.some((arg) => arg.includes('=')))
      throw new OptionError(`--${name} takes no value; there is --no-${name}`, 64)
    if (given.length > 1) throw new OptionError(`--${name} is given ${given.length} times`, 64)
  }
}
