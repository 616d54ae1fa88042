import yargs, { type Argv } from 'yargs'
import { Faults, OptionError } from '../config/option-error.ts'
import { whatWasMeant } from './did-you-mean.ts'
import type { OptionSpec } from './option-spec.ts'
import { OPTIONS } from './options.ts'
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
      /** Unknown flags, and flags given as they cannot be; to be told with what is wrong with their values. */
      readonly faults: readonly OptionError[]
    }
  | { readonly kind: 'help' }

type Argument = Readonly<Record<string, unknown>>

const EPILOGUE = `Also read from the environment (FPM_BRIDGE_URL for --url) and from --config.
Exit codes: 0 done, 64 usage, 65 bad input, 69 no broker or pool, 70 internal fault, 75 not all done, 78 configuration.`

/**
 * Reads the command line. Values stay text: what they may be is decided in one place for all sources.
 *
 * @param commands of which one is the default
 * @throws {OptionError} for an unknown command, and for a flag without its value
 */
export async function parseCommandLine<C extends CommandSpec>(
  args: readonly string[],
  commands: readonly C[],
  version: string,
): Promise<CommandLine<C>> {
  const faults = new Faults()
  // The folder is only for what is not used here; the one that we were started in may be gone.
  const parser = yargs([...args], '/')
    .scriptName('fpm-bridge')
    // Its words stand beside ours.
    .locale('en')
    .updateStrings({ 'Not enough arguments following: %s': '--%s needs a value' })
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
    .exitProcess(false)
    .fail((message, error) => {
      // yargs tells what is wrong with the command line as a message or as an error of its own.
      if (error !== undefined && error !== null && error.name !== 'YError') throw error
      const complaint = (message ?? error.message).replace(/\n.*/s, '').replace(/^--(?=\w\b)/, '-')
      throw new OptionError(`${complaint}; see fpm-bridge --help`, 64)
    })
  for (const command of commands) {
    const { name, words, byDefault, summary } = command
    const pattern = words === undefined ? name : `${name} [${words.name}..]`
    const build = (builder: Argv) => {
      // yargs' own validation stumbles over --constructor.
      builder.middleware((argv) => refuseUnknown(command, commands, argv, faults), true)
      return describe(command, builder)
    }
    parser.command(byDefault ? [pattern, '$0'] : pattern, summary, build, (argv: Argument) => {
      refuseMisusedSwitches(args, faults)
      const flags = readFlags(name, argv, faults)
      const given = readWords(command, argv, faults)
      throw new Parsed({ kind: 'command', command, flags, words: given, faults: faults.errors })
    })
  }
  try {
    await parser.parseAsync()
    return { kind: 'help' }
  } catch (error) {
    if (error instanceof Parsed) return error.commandLine as CommandLine<C>
    throw error
  }
}

/**
 * Not an error: the way out of yargs once it is done. It would go on to lay out the help of the command, for nobody, which takes
 * longer than to read the command line.
 */
class Parsed extends Error {
  readonly commandLine: CommandLine<CommandSpec>

  constructor(commandLine: CommandLine<CommandSpec>) {
    super('the command line is read')
    this.commandLine = commandLine
  }
}

function usageLine({ name, byDefault, usage }: CommandSpec): string {
  return `$0 ${byDefault ? `[${name}]` : name} ${usage}`
}

function describe({ name, words, examples = [] }: CommandSpec, builder: Argv): Argv {
  if (words !== undefined)
    builder.positional(words.name, { type: 'string', array: true, describe: words.description })
  for (const [commandLine, meaning] of examples) builder.example(`$0 ${commandLine}`, meaning)
  for (const spec of OPTIONS) if (spec.commands.includes(name)) builder.option(spec.name, yargsOption(spec))
  return builder.epilogue(EPILOGUE)
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

function readWords({ name, words }: CommandSpec, argv: Argument, faults: Faults): readonly string[] {
  const literal = [argv['--'] ?? []].flat().map(String)
  if (words !== undefined) return [argv[words.name] ?? []].flat().map(String).concat(literal)
  if (literal.length > 0) faults.add(new OptionError(`${name} takes no argument after --`, 64))
  return []
}

/** Only what was given: yargs has no defaults here, or they would hide environment and file. */
function readFlags(command: string, argv: Argument, faults: Faults): Flags {
  const flags = new Map<string, readonly string[]>()
  for (const { name, commands, kind } of OPTIONS) {
    const value = argv[name]
    if (!commands.includes(command) || value === undefined) continue
    const values = Array.isArray(value) ? value.map(String) : [String(value)]
    if (value === false && kind !== 'flag')
      faults.add(new OptionError(`--${name} cannot be switched off`, 64))
    else if (values.length > 1 && kind === 'value')
      faults.add(new OptionError(`--${name} is given ${values.length} times; it takes one value`, 64))
    else flags.set(name, values)
  }
  return flags
}

/** What yargs itself puts among the arguments. */
const NO_FLAGS = ['_', '--', '$0', 'help', 'h', 'version']

/** Takes out of the arguments what nobody knows. */
function refuseUnknown(
  { name, words }: CommandSpec,
  commands: readonly CommandSpec[],
  argv: Record<string, unknown>,
  faults: Faults,
): void {
  const known = OPTIONS.filter((spec) => spec.commands.includes(name))
  const complaint = (what: string, meant?: string) =>
    `Unknown argument: ${what}; ${meant === undefined ? 'see fpm-bridge --help' : `did you mean ${meant}?`}`
  const [first, ...others] = [argv['_'] ?? []].flat().map(String)
  const commandNames = commands.map((command) => command.name)
  // Nobody knows what another command would need.
  if (first !== undefined && first !== name)
    throw new OptionError(complaint(first, whatWasMeant(first, commandNames)), 64)
  for (const word of others) faults.add(new OptionError(complaint(word), 64))
  const names = known.map((spec) => spec.name)
  const expected = [...NO_FLAGS, ...names, ...known.map(({ alias }) => alias), words?.name]
  for (const flag of Object.keys(argv)) {
    if (expected.includes(flag)) continue
    const meant = whatWasMeant(flag, names)
    faults.add(new OptionError(complaint(flag, meant && `--${meant}`), 64))
    delete argv[flag]
  }
}

/** yargs takes the last of several, and any value but `true` for off. */
function refuseMisusedSwitches(args: readonly string[], faults: Faults): void {
  const end = args.indexOf('--')
  const flags = end === -1 ? args : args.slice(0, end)
  for (const { name, kind } of OPTIONS) {
    if (kind !== 'flag') continue
    const given = flags.filter(
      (arg) => arg.replace(/=.*/s, '').replace(/^--(no-)?/, '') === name && arg.startsWith('--'),
    )
    if (given.some((arg) => arg.includes('=')))
      faults.add(new OptionError(`--${name} takes no value; there is --no-${name}`, 64))
    else if (given.length > 1) faults.add(new OptionError(`--${name} is given ${given.length} times`, 64))
  }
}
