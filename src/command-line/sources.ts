import { isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { OptionError, type RawOption, type RawOptions } from '../config/reader.ts'
import { readSmallFile } from '../config/small-file.ts'
import { environmentName, OPTIONS, type OptionSpec } from './options.ts'

/** What the command line gave, by long option name. */
export type Flags = ReadonlyMap<string, readonly string[]>

/**
 * Gathers a command's options: flag, else environment, else the config file, else default.
 * Only the documented environment names are read: a Kubernetes service called fpm-bridge injects others with our
 * prefix. An empty environment variable counts as not set. What may be given several times is separated by white space
 * there: a line each, for example.
 *
 * @throws {OptionError}
 */
export function collectOptions(command: string, flags: Flags, environment: NodeJS.ProcessEnv): RawOptions {
  const options = new Map<string, RawOption>()
  const path = first(flags.get('config')) ?? (environment[environmentName('config')] || undefined)
  const file = path === undefined ? new Map<string, RawOption>() : readConfigFile(path)
  for (const spec of OPTIONS) {
    if (!spec.commands.includes(command)) continue
    const option =
      fromFlags(spec, flags) ?? fromEnvironment(spec, environment) ?? file.get(spec.name) ?? fromDefault(spec)
    if (option !== undefined) options.set(spec.name, option)
  }
  return options
}

function fromFlags({ name }: OptionSpec, flags: Flags): RawOption | undefined {
  const values = flags.get(name)
  return values && { values, origin: 'flag', source: `--${name}` }
}

function fromEnvironment(
  { name, kind, commandLineOnly, secret }: OptionSpec,
  environment: NodeJS.ProcessEnv,
): RawOption | undefined {
  if (commandLineOnly) return undefined
  const source = environmentName(name)
  const file = `${source}_FILE`
  const value = environment[source]
  const path = secret ? environment[file] : undefined
  if (value && path) throw new OptionError(`${source} and ${file} are both set; keep one`, 78)
  const option = (text: string, from: string): RawOption => {
    return {
      values: kind === 'list' ? text.trim().split(/\s+/) : [text],
      origin: 'environment',
      source: from,
    }
  }
  if (path) return option(readText(file, path).trimEnd(), file)
  return value ? option(value, source) : undefined
}

function fromDefault({ name, default: value }: OptionSpec): RawOption | undefined {
  return value === undefined ? undefined : { values: [value], origin: 'default', source: `--${name}` }
}

/** YAML 1.2, and with it JSON. Messages quote no text of the file: it may hold a password. */
function readConfigFile(path: string): Map<string, RawOption> {
  const lines = new LineCounter()
  const document = parseDocument(readText('--config', path), { lineCounter: lines, prettyErrors: false })
  const [error] = document.errors
  if (error !== undefined) {
    throw new OptionError(
      `${path} is malformed at line ${lines.linePos(error.pos[0]).line} (${error.code})`,
      78,
    )
  }
  const options = new Map<string, RawOption>()
  if (document.contents === null) return options
  if (!isMap(document.contents))
    throw new OptionError(`${path} must be a mapping of option names to values`, 78)
  for (const { key, value } of document.contents.items) {
    const name = isScalar(key) ? String(key.value) : ''
    const spec = OPTIONS.find((candidate) => candidate.name === name && !candidate.commandLineOnly)
    if (spec === undefined || name === 'config') throw unknownKey(path, name)
    const values = isSeq(value) && spec.kind === 'list' ? value.items.map(scalarText) : [scalarText(value)]
    if (!values.every((text) => text !== undefined))
      throw new OptionError(`${name} in ${path} must be a plain value`, 78)
    options.set(name, { values, origin: 'file', source: `${name} in ${path}` })
  }
  return options
}

function scalarText(node: unknown): string | undefined {
  if (!isScalar(node) || node.value === null) return undefined
  // As it stands there: YAML would make 7 of 007, and lose digits of a long number.
  return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value))
}

function unknownKey(path: string, name: string): OptionError {
  const known = OPTIONS.filter((spec) => !spec.commandLineOnly && spec.name !== 'config').map(
    (spec) => spec.name,
  )
  return new OptionError(`unknown key "${name}" in ${path}; known are ${known.join(', ')}`, 78)
}

function readText(option: string, path: string): string {
  try {
    return decode(readSmallFile(path))
  } catch (error) {
    throw unreadable(option, error as Error)
  }
}

/** Without the path: somebody will put the secret itself into FPM_BRIDGE_URL_FILE. */
function unreadable(option: string, { message }: Error): OptionError {
  return new OptionError(`${option} names a file that ${message}`, 78)
}

/** A byte order mark is left out. */
function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new Error('is not UTF-8', { cause })
  }
}

function first(values: readonly string[] | undefined): string | undefined {
  if (values !== undefined && values.length > 1) throw new OptionError('--config takes one value', 64)
  return values?.[0]
}
