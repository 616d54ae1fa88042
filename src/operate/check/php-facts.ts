/** What the package worker-php says of the PHP that a script runs in. */
export interface PhpFacts {
  readonly php: string
  /** Undefined where it was not installed by composer. */
  readonly package: string | undefined
  /** Milliseconds since the epoch, by the pool's clock. */
  readonly time: number
  /** Milliseconds until the script came to its worker. */
  readonly boot: number
  readonly userId: number | undefined
  /** Where the answer had begun before the worker. */
  readonly begun: string | undefined
  /** php.ini's, by name, as PHP writes them; those that it has. */
  readonly settings: Readonly<Record<string, string>>
  readonly opcache: { readonly enabled: boolean; readonly full: boolean; readonly restarts: number }
  /** Where PHP keeps large bodies; bytes. */
  readonly temporary: {
    readonly path: string
    readonly writable: boolean
    readonly free: number | undefined
  }
  /** php-fpm's own settings, as its file has them; those that are set. Undefined where it cannot be read. */
  readonly pool: Readonly<Record<string, string>> | undefined
}

/**
 * Reads what stands behind the mark in an answer.
 *
 * @returns undefined where there is no such thing; `before` is what the script had printed until then
 */
export function readPhpFacts(
  body: string,
  mark: string,
): { readonly facts: PhpFacts; readonly before: string } | undefined {
  const [before = '', rest] = body.split(`\n${mark}`)
  const [json] = rest?.split('\n') ?? []
  if (json === undefined) return undefined
  try {
    return { facts: factsOf(JSON.parse(json)), before }
  } catch {
    return undefined
  }
}

type Said = Readonly<Record<string, unknown>>

/** @throws {Error} where it is something else */
function factsOf(said: Said): PhpFacts {
  const opcache = tableIn(said, 'opcache')
  const temporary = tableIn(said, 'temporary')
  const { pool } = said
  return {
    php: String(said['php']),
    package: textIn(said, 'package'),
    time: numberIn(said, 'time') * 1_000,
    boot: numberIn(said, 'seconds') * 1_000,
    userId: typeof said['user'] === 'number' ? said['user'] : undefined,
    begun: textIn(said, 'begun'),
    settings: textsIn(tableIn(said, 'settings')),
    opcache: {
      enabled: opcache['enabled'] === true,
      full: opcache['full'] === true,
      restarts: numberIn(opcache, 'restarts'),
    },
    temporary: {
      path: String(temporary['path']),
      writable: temporary['writable'] === true,
      free: typeof temporary['free'] === 'number' ? temporary['free'] : undefined,
    },
    pool: isTable(pool) ? textsIn(pool) : undefined,
  }
}

function isTable(value: unknown): value is Said {
  return typeof value === 'object' && value !== null
}

function tableIn(said: Said, name: string): Said {
  const value = said[name]
  if (!isTable(value)) throw new Error(`no ${name}`)
  return value
}

function textIn(said: Said, name: string): string | undefined {
  const value = said[name]
  return typeof value === 'string' ? value : undefined
}

function textsIn(table: Said): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(table).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

function numberIn(said: Said, name: string): number {
  const value = said[name]
  if (typeof value !== 'number') throw new Error(`no ${name}`)
  return value
}
