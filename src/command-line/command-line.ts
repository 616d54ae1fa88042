import yargs, { type Argv } from 'yargs'
import { OptionError } from '../config/reader.ts'
import { type CommandName, OPTIONS, type OptionSpec } from './options.ts'
import type { Flags } from './sources.ts'

/** What the command line asks for. `help`: its text has been printed (`--help`, `--version`). */
export type CommandLine =
  | {
      readonly kind: 'command'
      readonly name: CommandName
      readonly flags: Flags
      readonly messages: readonly string[]
    }
  | { readonly kind: 'help' }

const EPILOGUE = `Also read from the environment (FPM_BRIDGE_QUEUE for --queue) and from --config.
Exit codes: 0 done, 64 usage, 65 bad input, 69 no broker, 70 internal fault, 75 not all done, 78 configuration.`

/**
 * Reads the command line. Values stay text: what they may be is decided in one place for all sources.
 *
 * @throws {OptionError} for unknown commands and flags, and for a flag without its value
 */
export async function parseCommandLine(args: readonly string[], version: string): Promise<CommandLine> {
  let parsed: CommandLine = { kind: 'help' }
  const take = (name: CommandName) => (argv: Readonly<Record<string, unknown>>) => {
    const messages = [argv['messages'] ?? [], argv['--'] ?? []].flat().map(String)
    if (name === 'run' && messages.length > 0) throw new OptionError(`run takes no argument after --`, 64)
    parsed = { kind: 'command', name, flags: readFlags(name, argv), messages }
  }
  refuseMisusedSwitches(args)
  // The folder is only for what is not used here; the one that we were started in may be gone.
  await yargs([...args], '/')
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
    .usage('$0 [run] --socket PATH --script PATH\n$0 publish [MESSAGE...]')
    .command(
      ['run', '$0'],
      'consume the queue and have php-fpm execute each message',
      describe('run'),
      take('run'),
    )
    .command(
      'publish [messages..]',
      'publish messages, confirmed and routed',
      describe('publish'),
      take('publish'),
    )
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
    .parseAsync()
  return parsed
}

function describe(command: CommandName): (builder: Argv) => Argv {
  return (builder) => {
    if (command === 'publish') {
      builder
        .positional('messages', {
          type: 'string',
          array: true,
          describe: 'one body each; without any: lines of standard input',
        })
        .example(`$0 publish '{"number": 7}'`, 'one message')
        .example(`$0 publish --count 100 --body '{"number":"{n}"}'`, 'a hundred')
        .example('$0 publish < messages.jsonl', 'one message a line')
    }
    for (const spec of OPTIONS)
      if (spec.commands.includes(command)) builder.option(spec.name, yargsOption(spec))
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

/** Only what was given: yargs has no defaults here, or they would hide environment and file. */
function readFlags(command: CommandName, argv: Readonly<Record<string, unknown>>): Flags {
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
