import { Faults, OptionError } from '../config/option-error.ts'
import type { GivenOptions, RawOption } from '../config/reader.ts'
import type { ConfigFile } from './config-file.ts'
import type { OptionSpec } from './option-spec.ts'
import { environmentName, OPTIONS } from './options.ts'
import { readTextFile } from './text-file.ts'

/** What the command line gave, by long option name. */
export type Flags = ReadonlyMap<string, readonly string[]>

/** Reads the file that --config names. @throws {OptionError} when there is no telling what it says */
export type ReadFile = (path: string) => ConfigFile

/** The file that --config, or the environment, names. */
export function configPath(flags: Flags, environment: NodeJS.ProcessEnv): string | undefined {
  return flags.get('config')?.[0] ?? (environment[environmentName('config')] || undefined)
}

/**
 * Gathers a command's options: flag, else environment, else the config file, else default.
 * Only the documented environment names are read: a Kubernetes service called fpm-bridge injects others with our
 * prefix. An empty environment variable counts as not set. What may be given several times is separated by white space
 * there: a line each, for example.
 *
 * @param readFile needed where a file is named
 * @param wrongFlags what is wrong with the command line, to be told with all else
 * @throws {OptionError} when the config file cannot be read
 */
export function collectOptions(
  command: string,
  flags: Flags,
  environment: NodeJS.ProcessEnv,
  readFile: ReadFile | undefined,
  wrongFlags: readonly OptionError[] = [],
): GivenOptions {
  const path = configPath(flags, environment)
  const file =
    path === undefined || readFile === undefined ? undefined : tryFile(() => readFile(path), wrongFlags)
  const options = new Map<string, RawOption>()
  for (const spec of OPTIONS) {
    if (!spec.commands.includes(command)) continue
    const option =
      fromFlags(spec, flags) ??
      fromEnvironment(spec, environment) ??
      (spec.scope === 'command-line' ? undefined : file?.options.get(spec.name)) ??
      fromDefault(spec, file)
    if (option !== undefined) options.set(spec.name, option)
  }
  return { options, bridges: file?.bridges, faults: [...wrongFlags, ...(file?.faults ?? [])] }
}

/** A file that cannot be read ends it: what seems to be missing may be in there. */
function tryFile(read: () => ConfigFile, wrongFlags: readonly OptionError[]): ConfigFile {
  try {
    return read()
  } catch (error) {
    if (error instanceof OptionError) new Faults([...wrongFlags, error]).throwAny()
    throw error
  }
}

function fromFlags({ name }: OptionSpec, flags: Flags): RawOption | undefined {
  const values = flags.get(name)
  return values && { values, origin: 'flag', source: `--${name}` }
}

function fromEnvironment(
  { name, kind, scope, secret }: OptionSpec,
  environment: NodeJS.ProcessEnv,
): RawOption | undefined {
  if (scope === 'command-line') return undefined
  const source = environmentName(name)
  const file = `${source}_FILE`
  const value = environment[source]
  const path = secret ? environment[file] : undefined
  if (value && path) {
    const fault = new OptionError(`${source} and ${file} are both set; keep one`, 78)
    return { values: [], origin: 'environment', source, fault }
  }
  if (path) return fromSecretFile(file, path, kind)
  return value ? { values: split(value, kind), origin: 'environment', source } : undefined
}

function split(text: string, kind: OptionSpec['kind']): readonly string[] {
  return kind === 'list' ? text.trim().split(/\s+/) : [text]
}

function fromSecretFile(source: string, path: string, kind: OptionSpec['kind']): RawOption {
  try {
    const text = readTextFile(`${source} names a file that`, path)
    return { values: split(text.trimEnd(), kind), origin: 'environment', source }
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    return { values: [], origin: 'environment', source, fault: error }
  }
}

/** With several bridges nobody knows which one a default would mean. */
function fromDefault(
  { name, default: value, ofOneBridge }: OptionSpec,
  file?: ConfigFile,
): RawOption | undefined {
  if (value === undefined || (ofOneBridge && file?.bridges !== undefined)) return undefined
  return { values: [value], origin: 'default', source: `--${name}` }
}
