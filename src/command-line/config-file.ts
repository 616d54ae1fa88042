import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type YAMLMap } from 'yaml'
import { Faults, OptionError } from '../config/option-error.ts'
import type { BridgeEntry, RawOption, RawOptions } from '../config/reader.ts'
import { whatWasMeant } from './did-you-mean.ts'
import type { OptionSpec } from './option-spec.ts'
import { OPTIONS } from './options.ts'
import { readTextFile } from './text-file.ts'
import { yamlMistake } from './yaml-mistakes.ts'

/** What a file says. */
export interface ConfigFile {
  readonly options: RawOptions
  /** Undefined where it has no `bridges:`. */
  readonly bridges: readonly BridgeEntry[] | undefined
  readonly faults: readonly OptionError[]
}

const BRIDGES = 'bridges'
/** Each has a channel on each of two connections, and RabbitMQ allows 2,047 on one by default; a copy may take another. */
export const MAX_BRIDGES = 1_000

/** Complaints about one file; nobody reads more. */
const MANY = 50

/** The options that a file may set, and those of them that an entry of `bridges:` may set. */
const AT_TOP = OPTIONS.filter(({ name, scope }) => scope !== 'command-line' && name !== 'config')
const IN_ENTRY = AT_TOP.filter(({ scope }) => scope === 'bridge')

/**
 * YAML 1.2, and with it JSON. Values stay text, as they stand there: YAML would make 7 of 007, and lose digits of a long number.
 * Messages quote no value: it may be a password.
 *
 * @throws {OptionError} when there is no telling what it says
 */
export function readConfigFile(path: string): ConfigFile {
  const text = readTextFile(`--config names ${JSON.stringify(path)}, which`, path)
  const lines = new LineCounter()
  // Its own search for keys that come twice takes a second for a file of 50 kB.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false })
  const [error] = document.errors
  if (error !== undefined)
    throw new OptionError(
      `${path} is malformed at line ${lines.linePos(error.pos[0]).line}: ${yamlMistake(error.code)}`,
      78,
    )
  const walk = new Walk(path, (offset) => lines.linePos(offset).line)
  const { contents } = document
  if (contents === null || (isScalar(contents) && contents.value === null)) return walk.file(undefined)
  if (!isMap(contents))
    throw new OptionError(
      `${path} must be a mapping of option names to values, such as "queue: invoices"`,
      78,
    )
  if (hasTag(contents)) throw new OptionError(`${path} must be a plain mapping, without a tag`, 78)
  return walk.file(contents)
}

/** A key with its value; `path` and `source` are for complaints. */
interface Entry {
  readonly name: string
  readonly value: unknown
  readonly path: string
  readonly source: string
}

class Walk {
  readonly #file: string
  readonly #lineOf: (offset: number) => number
  readonly #faults = new Faults()

  constructor(file: string, lineOf: (offset: number) => number) {
    this.#file = file
    this.#lineOf = lineOf
  }

  file(contents: YAMLMap | undefined): ConfigFile {
    const entries = contents === undefined ? [] : this.#entries(contents, '')
    const list = entries.find(({ name }) => name === BRIDGES)
    const others = entries.filter((entry) => entry !== list)
    const options = this.#options(others, AT_TOP)
    const bridges = list && this.#bridges(list)
    return { options, bridges, faults: this.#faults.errors }
  }

  #bridges(list: Entry): readonly BridgeEntry[] {
    if (!isSeq(list.value) || list.value.items.length === 0) {
      this.#complain(list, 'must be a list of bridges, one at least')
      return []
    }
    if (hasTag(list.value)) this.#complain(list, 'must be a plain list, without a tag')
    if (list.value.items.length > MAX_BRIDGES) {
      this.#complain(list, `has ${list.value.items.length} bridges; one process takes ${MAX_BRIDGES}`)
      return []
    }
    return list.value.items.flatMap((item, index): readonly BridgeEntry[] => {
      const path = `${list.path}[${index}]`
      const place = { path, source: this.#sourceOf(item, list.source) }
      if (!isMap(item)) this.#complain(place, 'must be a mapping of option names to values')
      else if (hasTag(item)) this.#complain(place, 'must be a plain mapping, without a tag')
      else return [{ ...place, own: this.#options(this.#entries(item, `${path}.`), IN_ENTRY) }]
      return []
    })
  }

  /** Keys that come twice are complained of, and the first one is taken. */
  #entries(map: YAMLMap, prefix: string): readonly Entry[] {
    const entries = new Map<string, Entry>()
    for (const { key, value } of map.items) {
      const name = isScalar(key) ? (key.source ?? String(key.value)) : ''
      // What is no name may be a password, in the wrong place.
      const path = `${prefix}${/^[\w.<-]{1,60}$/.test(name) ? name : '?'}`
      const entry = { name, value, path, source: this.#sourceOf(key, this.#file) }
      const first = entries.get(name)
      if (hasTag(key)) this.#complain(entry, 'must be a plain key, without a tag')
      if (first === undefined) entries.set(name, entry)
      else this.#complain(entry, `is given twice: before in ${first.source}`)
    }
    return [...entries.values()]
  }

  #options(entries: readonly Entry[], known: readonly OptionSpec[]): RawOptions {
    const options = new Map<string, RawOption>()
    for (const { name, value, path, source } of entries) {
      if (this.#faults.errors.length > MANY) break
      const spec = known.find((candidate) => candidate.name === name)
      const found = { origin: 'file', source, path } as const
      try {
        if (spec === undefined) throw new Error(whyUnknown(name, known))
        options.set(name, { ...found, values: valuesOf(value, spec) })
      } catch (error) {
        const fault = this.#complain({ path, source }, (error as Error).message)
        // Nobody should hear that an option is missing which is only misspelt.
        const meant = spec?.name ?? whatWasMeant(name, namesOf(known))
        if (meant !== undefined && !options.has(meant)) options.set(meant, { ...found, values: [], fault })
      }
    }
    return options
  }

  #complain({ path, source }: { path: string; source: string }, complaint: string): OptionError {
    const told = this.#faults.errors.length
    const fault = new OptionError(`${path} (${source}) ${complaint}`, 78)
    if (told < MANY) this.#faults.add(fault)
    if (told === MANY)
      this.#faults.add(new OptionError(`${this.#file}: more is wrong, which is not told`, 78))
    return fault
  }

  #sourceOf(node: unknown, otherwise: string): string {
    const range = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range : undefined
    return range ? `${this.#file}:${this.#lineOf(range[0])}` : otherwise
  }
}

function whyUnknown(name: string, known: readonly OptionSpec[]): string {
  if (name === 'config') return 'cannot be set in a file'
  if (name === '<<') return 'is unknown: keys are not merged; what all bridges share goes to the top level'
  if (known === IN_ENTRY && AT_TOP.some((spec) => spec.name === name))
    return 'belongs to the process, not to a bridge: it goes to the top level'
  const meant = whatWasMeant(name, namesOf(known))
  return meant === undefined ? 'is unknown; see fpm-bridge --help' : `is unknown; did you mean ${meant}?`
}

function namesOf(known: readonly OptionSpec[]): readonly string[] {
  const names = known.map(({ name }) => name)
  return known === AT_TOP ? [...names, BRIDGES] : names
}

function valuesOf(node: unknown, { kind }: OptionSpec): readonly string[] {
  if (!isSeq(node) || kind !== 'list') return [textOf(node)]
  if (hasTag(node)) throw new Error('must be a plain list, without a tag')
  return node.items.map(textOf)
}

function textOf(node: unknown): string {
  if (isAlias(node)) throw new Error('must be written out: aliases are not followed')
  if (!isScalar(node)) throw new Error('must be a plain value')
  if (hasTag(node)) throw new Error('must be a plain value, without a tag')
  if (node.value === null) throw new Error('has no value')
  return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value))
}

/** Whoever tags something means that it be taken for something else. The tags of what it is anyway do no harm. */
function hasTag(node: unknown): boolean {
  if (!isNode(node) || node.tag === undefined) return false
  const itself = isScalar(node) ? 'str' : isSeq(node) ? 'seq' : 'map'
  return node.tag !== `tag:yaml.org,2002:${itself}`
}
