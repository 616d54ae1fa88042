/** A JSON Schema, or a part of one. */
export type Schema = Readonly<Record<string, unknown>>

/** Text to value; throws an Error that completes the sentence "--option ..." ("must be ...", "is ..."). */
export interface Parse<T> {
  (text: string): T
  /** What a config file may say there; any text where this is missing. */
  readonly schema?: Schema
  /** Whether it may be missing. */
  readonly optional?: true
  /** Whether it may be given several times. */
  readonly list?: true
}

/** Options by their long names, each with how it is read. */
export type Table = Readonly<Record<string, Parse<unknown>>>

/** What a table's options are when they are read. */
export type ValuesOf<T extends Table> = {
  readonly [K in keyof T]: T[K] extends Parse<infer V> ? V : never
}

export function withSchema<T>(schema: Schema, parse: (text: string) => T): Parse<T> {
  return Object.assign((text: string) => parse(text), { schema })
}

export function optional<T>(parse: Parse<T>): Parse<T | undefined> {
  const { schema } = parse
  return Object.assign((text: string) => parse(text), {
    ...(schema && { schema }),
    optional: true as const,
  })
}

/** Read one by one, each as a list of one. */
export function listOf<T>(parse: Parse<T>): Parse<readonly T[]> {
  const { schema } = parse
  return Object.assign((text: string) => [parse(text)], { ...(schema && { schema }), list: true as const })
}

/** What is not looked at here. */
export function anyText(text: string): string {
  return text
}
