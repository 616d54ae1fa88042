import { isUtf8 } from 'node:buffer'
import { FormBytes } from './form-bytes.ts'
import { Duplicates, type Member, Members } from './form-members.ts'
import { JsonText, QUOTE } from './json-text.ts'
import { UnprocessableError } from './unprocessable.ts'

/** json_decode's default depth is 512, and it counts the innermost value as a level. */
const MAX_DEPTH = 511

/** Every value repeats the keys around it, so a small deeply nested body could become an endless form. */
const MAX_FORM_BYTES = 128 * 1024 * 1024

/** Where forms are written before they are copied out, and the keys of objects, as far as there is room. */
const SCRATCH = { form: Buffer.allocUnsafeSlow(16 * 1024), keys: Buffer.allocUnsafeSlow(4 * 1024) }

const ascii = (character: string): number => character.charCodeAt(0)
const [COMMA, COLON] = [ascii(','), ascii(':')]
const [OBJECT, OBJECT_END, ARRAY, ARRAY_END] = [ascii('{'), ascii('}'), ascii('['), ascii(']')]
const [LETTER_T, LETTER_F, LETTER_N] = [ascii('t'), ascii('f'), ascii('n')]
const [AMPERSAND, EQUALS, ZERO, ONE] = [ascii('&'), ascii('='), ascii('0'), ascii('1')]

/**
 * Turns a JSON object or array into the form that PHP's `http_build_query(json_decode($body, true))` makes of
 * it, byte for byte, with one more key.
 *
 * `JSON.parse` cannot serve here: it moves integer-like keys to the front and loses integers beyond 2^53.
 *
 * @param extra set in the outermost array as PHP's `$data[$key] = $value` would: it replaces a key of the body. The key
 *   is no number
 * @throws {UnprocessableError} for what json_decode refuses, for scalars and null, and for a form of more than 128 MiB,
 *   counting what a later value of the same key replaces
 */
export function encodeForm(body: Buffer, extra: readonly [key: string, value: string]): Buffer {
  if (body.length === 0) throw new UnprocessableError('the body is empty')
  if (!isUtf8(body)) throw new UnprocessableError('the body is not valid UTF-8')
  return new FormEncoder(body).encode(extra)
}

/**
 * A recursive descent over one JSON text (RFC 8259), with json_decode's limits, that writes each value as soon as it has
 * read it: nothing is kept of a document but the keys of the objects that it is in.
 */
class FormEncoder {
  readonly #json: JsonText
  /** `&` stands before each pair, the first one too. */
  readonly #form = new FormBytes(SCRATCH.form, MAX_FORM_BYTES)
  /** The keys, escaped, of all objects that are open. */
  readonly #keys = new FormBytes(SCRATCH.keys)
  /** Where in #keys the key of each level begins and ends. */
  readonly #path: number[] = []
  readonly #duplicates = new Duplicates()

  constructor(json: Buffer) {
    this.#json = new JsonText(json)
  }

  encode([key, value]: readonly [key: string, value: string]): Buffer {
    const members = new Members(this.#keys)
    const first = this.#json.next()
    if (first === OBJECT) this.#object(members, 1)
    else this.#value(0)
    if (this.#json.next() !== undefined) this.#json.refuse()
    if (first !== OBJECT && first !== ARRAY) {
      throw new UnprocessableError('the body is a JSON scalar; an object or an array is needed')
    }
    const keyFrom = this.#keys.length
    this.#keys.putText(key)
    const member = this.#begin(this.#json.offset, keyFrom, 1)
    this.#name(1)
    this.#form.putText(value)
    this.#end(members, member)
    return this.#result()
  }

  #result(): Buffer {
    if (this.#duplicates.none) return this.#form.toBuffer(1)
    const form = new FormBytes(Buffer.allocUnsafe(this.#form.length))
    this.#duplicates.apply(this.#form, form)
    return form.toBuffer(1)
  }

  /** @param depth how many objects and arrays the value is in */
  #value(depth: number): void {
    switch (this.#json.next()) {
      case QUOTE:
        this.#name(depth)
        this.#json.string(this.#form)
        break
      case OBJECT: {
        const keys = this.#keys.length
        this.#object(new Members(this.#keys), depth + 1)
        this.#keys.truncate(keys)
        break
      }
      case ARRAY:
        this.#array(depth + 1)
        break
      case LETTER_T:
        this.#json.word('true')
        this.#name(depth)
        this.#form.put(ONE)
        break
      case LETTER_F:
        this.#json.word('false')
        this.#name(depth)
        this.#form.put(ZERO)
        break
      case LETTER_N:
        this.#json.word('null')
        break
      default:
        this.#name(depth)
        this.#json.number(this.#form)
    }
  }

  #object(members: Members, depth: number): void {
    this.#enter(OBJECT, depth)
    if (this.#json.take(OBJECT_END)) return
    do {
      const start = this.#json.offset
      const keyFrom = this.#keys.length
      this.#json.string(this.#keys)
      this.#json.expect(COLON)
      const member = this.#begin(start, keyFrom, depth)
      this.#value(depth)
      this.#end(members, member)
    } while (this.#json.take(COMMA))
    this.#json.expect(OBJECT_END)
  }

  #begin(start: number, keyFrom: number, depth: number): Member {
    const keyTo = this.#keys.length
    this.#path[2 * depth - 2] = keyFrom
    this.#path[2 * depth - 1] = keyTo
    const from = this.#form.length
    return { start, end: start, from, to: from, keyFrom, keyTo, replacement: undefined, previous: undefined }
  }

  #end(members: Members, member: Member): void {
    member.end = this.#json.offset
    member.to = this.#form.length
    const first = members.addOrFind(member)
    if (first === undefined) return
    this.#duplicates.add(first, member)
    this.#keys.truncate(member.keyFrom)
  }

  #array(depth: number): void {
    this.#enter(ARRAY, depth)
    if (this.#json.take(ARRAY_END)) return
    const keyFrom = this.#keys.length
    let index = 0
    do {
      this.#keys.truncate(keyFrom)
      this.#keys.putInteger(index)
      this.#path[2 * depth - 2] = keyFrom
      this.#path[2 * depth - 1] = this.#keys.length
      this.#value(depth)
      index += 1
    } while (this.#json.take(COMMA))
    this.#json.expect(ARRAY_END)
    this.#keys.truncate(keyFrom)
  }

  #enter(opening: number, depth: number): void {
    if (depth > MAX_DEPTH) throw new UnprocessableError(`the JSON body nests deeper than ${MAX_DEPTH} levels`)
    this.#json.expect(opening)
  }

  /** Begins a pair: `&outer%5Binner%5D=`. */
  #name(depth: number): void {
    this.#form.put(AMPERSAND)
    for (let level = 0; level < depth; level += 1) {
      if (level > 0) this.#form.putEscaped(ARRAY)
      this.#form.copy(this.#keys, this.#path[2 * level] as number, this.#path[2 * level + 1] as number)
      if (level > 0) this.#form.putEscaped(ARRAY_END)
    }
    this.#form.put(EQUALS)
  }
}
