/** sysexits: the command was used wrongly, its input is bad, or its configuration is wrong. */
export type OptionExitCode = 64 | 65 | 78

/** Of a URL; not that of the example in our own messages. */
const USER_INFO = /:\/\/(?!user:password@host:5672\/vhost$)\S*@/g

/**
 * Options are missing, or have values they cannot have. The message is for the operator: a line for each complaint, without the
 * password of a URL that was given in the wrong place.
 */
export class OptionError extends Error {
  override readonly name = 'OptionError'
  /** One at least. */
  readonly complaints: readonly string[]
  readonly exitCode: OptionExitCode

  constructor(complaints: string | readonly string[], exitCode: OptionExitCode) {
    const lines = [complaints].flat().map(inOneLine)
    super(lines.join('\n'))
    this.complaints = lines
    this.exitCode = exitCode
  }
}

function inOneLine(complaint: string): string {
  return complaint.replace(USER_INFO, '://***@').replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
}

/** Gathers what is wrong, so that it is told all at once: nobody should mend one value to hear of the next. */
export class Faults {
  readonly #errors: OptionError[]

  /** @param errors what is wrong already */
  constructor(errors: readonly OptionError[] = []) {
    this.#errors = [...errors]
  }

  /** @returns what `read` returns; undefined where that is wrong, which is kept for later */
  attempt<T>(read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof OptionError)) throw error
      this.#errors.push(error)
      return undefined
    }
  }

  add(error: OptionError): void {
    this.#errors.push(error)
  }

  get errors(): readonly OptionError[] {
    return this.#errors
  }

  /**
   * A command line that is wrong (64) outweighs an environment or a file that is wrong, too (78): whoever typed it is there to read.
   *
   * @throws {OptionError} one of all, each complaint once; nothing when nothing is wrong
   */
  throwAny(): void {
    const [first] = this.#errors
    if (first === undefined) return
    const complaints = new Set(this.#errors.flatMap((error) => error.complaints))
    const usage = this.#errors.some(({ exitCode }) => exitCode === 64)
    throw new OptionError([...complaints], usage ? 64 : first.exitCode)
  }
}

/**
 * Reads every part, whatever is wrong with the others.
 *
 * @throws {OptionError} of all that is wrong
 */
export function allOf<T extends object>(parts: { readonly [K in keyof T]: () => T[K] }): T {
  const faults = new Faults()
  const entries = Object.entries<() => unknown>(parts).map(([name, read]) => [name, faults.attempt(read)])
  faults.throwAny()
  return Object.fromEntries(entries)
}
