/** Where a value was found. Precedence is decided before; this is for messages and exit codes. */
export type Origin = 'flag' | 'environment' | 'file' | 'default'

/** An option as it was given: still text. */
export interface RawOption {
  /** One value, or several where the option may be repeated. */
  readonly values: readonly string[]
  readonly origin: Origin
  /** As the operator knows it: `--queue`, `FPM_BRIDGE_QUEUE`, `queue in /etc/fpm-bridge.yaml`. */
  readonly source: string
}

/** By long option name. What has neither value nor default is absent. */
export type RawOptions = ReadonlyMap<string, RawOption>

/** sysexits: the command was used wrongly, its input is bad, or its configuration is wrong. */
export type OptionExitCode = 64 | 65 | 78

/** Of a URL; not that of the example in our own messages. */
const USER_INFO = /:\/\/(?!user:password@host:5672\/vhost$)\S*@/g

/**
 * An option is missing or has a value it cannot have. The message is for the operator, in one line, without the
 * password of a URL that was given in the wrong place.
 */
export class OptionError extends Error {
  override readonly name = 'OptionError'
  readonly exitCode: OptionExitCode

  constructor(message: string, exitCode: OptionExitCode) {
    super(message.replace(USER_INFO, '://***@').replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' '))
    this.exitCode = exitCode
  }
}

/** Text to value; throws an Error that says what the value must be ("must be ...", "is ..."). */
export type Parse<T> = (text: string) => T

/** Reads typed values out of raw options; each complaint names the option, its source and the value. */
export class OptionReader {
  readonly #options: RawOptions

  constructor(options: RawOptions) {
    this.#options = options
  }

  /** @throws {OptionError} when it is missing, too */
  value<T>(name: string, parse: Parse<T>): T {
    return this.#single(name, this.#required(name), parse, true)
  }

  optional<T>(name: string, parse: Parse<T>): T | undefined {
    const option = this.#options.get(name)
    return option === undefined ? undefined : this.#single(name, option, parse, true)
  }

  /** One value or several, which no message repeats: it counts them instead. */
  secrets<T>(name: string, parse: Parse<T>): readonly T[] {
    const option = this.#required(name)
    const { values } = option
    if (values.length === 0) throw refusal(name, option, undefined, 'must not be empty')
    return values.map((text, index) => {
      const which = values.length === 1 ? '' : `number ${index + 1} of ${values.length} `
      return attempt(name, option, text, parse, false, which)
    })
  }

  list<T>(name: string, parse: Parse<T>): readonly T[] {
    const option = this.#options.get(name)
    return option?.values.map((text) => attempt(name, option, text, parse, true)) ?? []
  }

  /** Whether somebody asked for it: its value is not the default. */
  given(name: string): boolean {
    const option = this.#options.get(name)
    return option !== undefined && option.origin !== 'default'
  }

  /** For what is wrong only beside another option. */
  refuse(name: string, complaint: string): never {
    throw refusal(name, this.#options.get(name), undefined, complaint)
  }

  #required(name: string): RawOption {
    const option = this.#options.get(name)
    if (option === undefined) throw new OptionError(`--${name} is required${environmentHint(name)}`, 64)
    return option
  }

  #single<T>(name: string, option: RawOption, parse: Parse<T>, quotable: boolean): T {
    const [text, ...others] = option.values
    if (text === undefined || others.length > 0) throw refusal(name, option, undefined, 'takes one value')
    return attempt(name, option, text, parse, quotable)
  }
}

function attempt<T>(
  name: string,
  option: RawOption,
  text: string,
  parse: Parse<T>,
  quotable: boolean,
  which = '',
): T {
  try {
    return parse(text)
  } catch (error) {
    throw refusal(name, option, quotable ? text : undefined, which + (error as Error).message)
  }
}

function refusal(
  name: string,
  option: RawOption | undefined,
  text: string | undefined,
  complaint: string,
): OptionError {
  const { origin = 'default', source = `--${name}` } = option ?? {}
  const where = origin === 'flag' || origin === 'default' ? `--${name}` : `--${name} (from ${source})`
  const given = text === undefined || text === '' ? '' : `, not ${JSON.stringify(text)}`
  return new OptionError(`${where} ${complaint}${given}`, origin === 'flag' || origin === 'default' ? 64 : 78)
}

function environmentHint(name: string): string {
  return ` (or FPM_BRIDGE_${name.toUpperCase().replaceAll('-', '_')})`
}
