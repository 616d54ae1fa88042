import { allOf, Faults, OptionError } from './option-error.ts'
import type { Parse, Table, ValuesOf } from './parse.ts'

/** Where a value was found. Precedence is decided before; this is for messages and exit codes. */
export type Origin = 'flag' | 'environment' | 'file' | 'default'

/** An option as it was given: still text. */
export interface RawOption {
  /** One value, or several where the option may be repeated. */
  readonly values: readonly string[]
  readonly origin: Origin
  /** As the operator knows it: `--queue`, `FPM_BRIDGE_QUEUE`, `/etc/fpm-bridge.yaml:14`. */
  readonly source: string
  /** In a file, the path of its key: `bridges[1].queue`. */
  readonly path?: string
  /** Why there is no telling what it is; then it has no values. */
  readonly fault?: OptionError
}

/** By long option name. What has neither value nor default is absent. */
export type RawOptions = ReadonlyMap<string, RawOption>

/** An entry of `bridges:`. */
export interface BridgeEntry {
  /** `bridges[1]` */
  readonly path: string
  /** `/etc/fpm-bridge.yaml:14` */
  readonly source: string
  /** What the entry itself says. */
  readonly own: RawOptions
}

/** All that a command was given: flags, environment, config file and defaults. */
export interface GivenOptions {
  /** Of the process, and of its one bridge, or of each bridge whose entry does not say otherwise. */
  readonly options: RawOptions
  /** Undefined without a file that has `bridges:`. */
  readonly bridges: readonly BridgeEntry[] | undefined
  /** What is wrong whatever the values mean, such as unknown keys; to be told with all else. */
  readonly faults: readonly OptionError[]
}

/** Reads typed values out of raw options; each complaint names the option, its source and the value. */
export class OptionReader {
  readonly #options: RawOptions
  readonly #entry: BridgeEntry | undefined

  /** @param entry for the options of one of several bridges */
  constructor(options: RawOptions, entry?: BridgeEntry) {
    this.#options = entry === undefined ? options : new Map([...options, ...entry.own])
    this.#entry = entry
  }

  /** Whether it reads the options of one of several bridges. */
  get ofEntry(): boolean {
    return this.#entry !== undefined
  }

  /** @throws {OptionError} of all that is wrong */
  values<T extends Table>(table: T): ValuesOf<T> {
    const read = ([name, parse]: [string, Parse<unknown>]) => [name, () => this.#read(name, parse)]
    return allOf<ValuesOf<T>>(Object.fromEntries(Object.entries(table).map(read)))
  }

  #read(name: string, parse: Parse<unknown>): unknown {
    if (parse.list) return this.list(name, parse).flat()
    return parse.optional ? this.optional(name, parse) : this.value(name, parse)
  }

  /** @throws {OptionError} when it is missing, too */
  value<T>(name: string, parse: Parse<T>): T {
    return this.#single(name, this.#required(name), parse)
  }

  optional<T>(name: string, parse: Parse<T>): T | undefined {
    const option = this.#find(name)
    return option === undefined ? undefined : this.#single(name, option, parse)
  }

  /** One value or several, which no message repeats: it counts them instead. */
  secrets<T>(name: string, parse: Parse<T>): readonly T[] {
    const { values } = this.#required(name)
    if (values.length === 0) throw this.#complaint(name, 'must not be empty')
    return this.#each(values, (text, index) => {
      const which = values.length === 1 ? '' : `number ${index + 1} of ${values.length} `
      return this.#attempt(name, parse, text, which, false)
    })
  }

  list<T>(name: string, parse: Parse<T>): readonly T[] {
    const { values } = this.#find(name) ?? { values: [] }
    return this.#each(values, (text) => this.#attempt(name, parse, text))
  }

  /** Whether somebody asked for it: its value is not the default. */
  given(name: string): boolean {
    const option = this.#options.get(name)
    return option !== undefined && option.origin !== 'default'
  }

  /** For what is wrong only beside another option. */
  refuse(name: string, complaint: string): never {
    throw this.#complaint(name, complaint, true)
  }

  #find(name: string): RawOption | undefined {
    const option = this.#options.get(name)
    if (option?.fault !== undefined) throw option.fault
    return option
  }

  #required(name: string): RawOption {
    const option = this.#find(name)
    if (option !== undefined) return option
    throw this.#complaint(name, `is required${this.#entry === undefined ? environmentHint(name) : ''}`)
  }

  #single<T>(name: string, { values }: RawOption, parse: Parse<T>): T {
    const [text, ...others] = values
    if (text === undefined || others.length > 0) throw this.#complaint(name, 'takes one value')
    return this.#attempt(name, parse, text)
  }

  #each<T>(values: readonly string[], read: (text: string, index: number) => T): readonly T[] {
    const faults = new Faults()
    const parsed = values.flatMap((text, index) => faults.attempt(() => [read(text, index)]) ?? [])
    faults.throwAny()
    return parsed
  }

  #attempt<T>(name: string, parse: Parse<T>, text: string, which = '', quotable = true): T {
    try {
      return parse(text)
    } catch (error) {
      const given = quotable && text !== '' ? `, not ${JSON.stringify(text)}` : ''
      throw this.#complaint(name, `${which}${(error as Error).message}${given}`)
    }
  }

  /** @param ofOneBridge whether others of several bridges may do with the same value */
  #complaint(name: string, complaint: string, ofOneBridge = false): OptionError {
    const { origin = 'default', source = '', path = name, fault } = this.#options.get(name) ?? {}
    if (fault !== undefined) return fault
    const entry = this.#entry
    const elsewhere = ofOneBridge && entry !== undefined && !entry.own.has(name)
    const bridge = elsewhere ? `${entry.path} (${entry.source}): ` : ''
    switch (origin) {
      case 'flag':
        return new OptionError(`${bridge}--${name} ${complaint}`, 64)
      case 'environment':
        return new OptionError(`${bridge}--${name} (from ${source}) ${complaint}`, 78)
      case 'file':
        return new OptionError(`${bridge}${path} (${source}) ${complaint}`, 78)
      case 'default':
        if (entry === undefined) return new OptionError(`--${name} ${complaint}`, 64)
        return new OptionError(`${entry.path}.${name} (${entry.source}) ${complaint}`, 78)
    }
  }
}

function environmentHint(name: string): string {
  return ` (or FPM_BRIDGE_${name.toUpperCase().replaceAll('-', '_')})`
}
