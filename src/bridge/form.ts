import { phpNumber } from './php-number.ts'

/** The body cannot become `$_POST`; the message says why. */
export class UnprocessableError extends Error {
  override readonly name = 'UnprocessableError'
}

/** json_decode's default depth is 512, and it counts the innermost value as a level. */
const MAX_DEPTH = 511

/** Every value repeats the keys around it, so a small deeply nested body could become an endless form. */
const MAX_FORM_BYTES = 128 * 1024 * 1024

/** A decoded JSON value with its scalars as http_build_query writes them; null is left out by it. */
type FormValue = null | string | FormArray
/** A PHP array: keys in the order of their first appearance, with the last value given. */
type FormArray = Map<string, FormValue>

/**
 * Turns a JSON object or array into the form that PHP's `http_build_query(json_decode($body, true))` makes of
 * it, byte for byte, with one more key.
 *
 * `JSON.parse` cannot serve here: it moves integer-like keys to the front and loses integers beyond 2^53.
 *
 * @param extra set in the outermost array as PHP's `$data[$key] = $value` would: it replaces a key of the body
 * @throws {UnprocessableError} for what json_decode refuses, and for scalars and null
 */
export function encodeForm(body: Uint8Array, extra: readonly [key: string, value: string]): Buffer {
  const value = new JsonText(decodeUtf8(body)).parse()
  if (!(value instanceof Map)) {
    throw new UnprocessableError('the body is a JSON scalar; an object or an array is needed')
  }
  value.set(...extra)
  return Buffer.from([...pairs(value, undefined, { bytes: 0 })].join('&'), 'latin1')
}

function decodeUtf8(body: Uint8Array): string {
  if (body.length === 0) throw new UnprocessableError('the body is empty')
  try {
    // ignoreBOM keeps the mark in the text, where json_decode refuses it too.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch (cause) {
    throw new UnprocessableError('the body is not valid UTF-8', { cause })
  }
}

function* pairs(array: FormArray, prefix: string | undefined, size: { bytes: number }): Generator<string> {
  for (const [key, value] of array) {
    if (value === null) continue
    const encodedKey = encodeComponent(key)
    const name = prefix === undefined ? encodedKey : `${prefix}%5B${encodedKey}%5D`
    if (typeof value === 'string') {
      const pair = `${name}=${encodeComponent(value)}`
      size.bytes += pair.length + 1
      if (size.bytes > MAX_FORM_BYTES) {
        throw new UnprocessableError(`the body becomes a form of more than ${MAX_FORM_BYTES} bytes`)
      }
      yield pair
    } else yield* pairs(value, name, size)
  }
}

/** PHP's urlencode: all but letters, digits and `-_.` escaped, space as `+`. */
function encodeComponent(text: string): string {
  if (/^[\w.-]*$/.test(text)) return text
  return encodeURIComponent(text).replace(/%20|[!'()*~]/g, (match) =>
    match === '%20' ? '+' : `%${match.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** What a string holds as it is: a scan by regular expression takes a tenth of the time of one character by character. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in strings.
const PLAIN = /[^"\\\u0000-\u001f]*/y

/** A recursive descent over one JSON text (RFC 8259), with json_decode's limits. */
class JsonText {
  readonly #text: string
  #offset = 0

  constructor(text: string) {
    this.#text = text
  }

  parse(): FormValue {
    const value = this.#value(0)
    this.#skipSpace()
    if (this.#offset < this.#text.length) this.#refuse()
    return value
  }

  #value(depth: number): FormValue {
    this.#skipSpace()
    switch (this.#text[this.#offset]) {
      case '{':
        return this.#object(depth + 1)
      case '[':
        return this.#array(depth + 1)
      case '"':
        return this.#string()
      default:
        return this.#literal()
    }
  }

  #object(depth: number): FormArray {
    this.#enter(depth)
    const members: FormArray = new Map()
    if (this.#take('}')) return members
    do {
      this.#skipSpace()
      const key = this.#string()
      if (!this.#take(':')) this.#refuse()
      members.set(key, this.#value(depth))
    } while (this.#take(','))
    if (!this.#take('}')) this.#refuse()
    return members
  }

  #array(depth: number): FormArray {
    this.#enter(depth)
    const elements: FormArray = new Map()
    if (this.#take(']')) return elements
    do elements.set(String(elements.size), this.#value(depth))
    while (this.#take(','))
    if (!this.#take(']')) this.#refuse()
    return elements
  }

  #enter(depth: number): void {
    if (depth > MAX_DEPTH) throw new UnprocessableError(`the JSON body nests deeper than ${MAX_DEPTH} levels`)
    this.#offset += 1
  }

  #string(): string {
    if (this.#text[this.#offset] !== '"') this.#refuse()
    const start = this.#offset
    let escaped = false
    this.#offset += 1
    for (;;) {
      PLAIN.lastIndex = this.#offset
      // Past the end it does not match, and begins anew at 0.
      if (!PLAIN.test(this.#text)) this.#refuse()
      this.#offset = PLAIN.lastIndex
      const character = this.#text[this.#offset]
      if (character === '"') break
      // Control characters must be escaped.
      if (character !== '\\') this.#refuse()
      escaped = true
      this.#offset += 2
    }
    this.#offset += 1
    return escaped
      ? unescapeString(this.#text.slice(start, this.#offset))
      : this.#text.slice(start + 1, this.#offset - 1)
  }

  #literal(): null | string {
    const LITERAL = /(true|false|null)|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
    LITERAL.lastIndex = this.#offset
    const match = LITERAL.exec(this.#text)
    if (match === null) this.#refuse()
    const [token, word] = match
    this.#offset += token.length
    if (word === undefined) return phpNumber(token)
    return { true: '1', false: '0', null: null }[word] ?? null
  }

  #take(character: string): boolean {
    this.#skipSpace()
    if (this.#text[this.#offset] !== character) return false
    this.#offset += 1
    return true
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#offset)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
      this.#offset += 1
    }
  }

  #refuse(): never {
    throw new UnprocessableError(
      this.#offset < this.#text.length
        ? `the body is not JSON: unexpected character at offset ${this.#offset}`
        : 'the body is not JSON: it ends too early',
    )
  }
}

/** @param token a JSON string with its quotes, its escapes still unread */
function unescapeString(token: string): string {
  let text: string
  try {
    text = JSON.parse(token) as string
  } catch (cause) {
    throw new UnprocessableError('the body is not JSON: a string has an escape that JSON does not know', {
      cause,
    })
  }
  if (!text.isWellFormed()) {
    throw new UnprocessableError('a \\u escape in the JSON body is half of a surrogate pair')
  }
  return text
}
