import { FormBytes } from './form-bytes.ts'
import { FormLevels, IN_OBJECT, OUTSIDE } from './form-levels.ts'
import { JsonText, QUOTE } from './json-text.ts'
import { UnprocessableError } from './unprocessable.ts'

/** A key of an array and its value. */
export type Extra = readonly [key: string, value: string]

/** Bytes of a form that there is room for without asking for more. */
const ROOM = 16 * 1024

const ascii = (character: string): number => character.charCodeAt(0)
const [COMMA, COLON] = [ascii(','), ascii(':')]
const [OBJECT, OBJECT_END, ARRAY, ARRAY_END] = [ascii('{'), ascii('}'), ascii('['), ascii(']')]
const [LETTER_T, LETTER_F, LETTER_N] = [ascii('t'), ascii('f'), ascii('n')]
const [ZERO, ONE] = [ascii('0'), ascii('1')]

/** What comes next in the JSON: a value, the rest of one that is a string, what follows a value, or nothing. */
const [VALUE, TEXT, AFTER, END] = [0, 1, 2, 3]

/**
 * Reads one JSON text (RFC 8259) after the other, with json_decode's limits, and writes each value as soon as it has read it:
 * nothing is kept of a document but the keys of the objects that it is in. It can stop after each token, and go on later.
 */
export class FormEncoder {
  readonly #json = new JsonText()
  /** `&` stands before each pair, the first one too. */
  readonly #form = new FormBytes(ROOM, 'the body becomes a form')
  readonly #levels = new FormLevels(this.#form)
  #next = VALUE

  /** @param json UTF-8 */
  begin(json: Buffer): void {
    this.#json.begin(json)
    this.#form.clear()
    this.#levels.clear()
    this.#next = VALUE
  }

  /**
   * Reads on.
   *
   * @param bytes of JSON and form after which to stop, or somewhat later
   * @returns whether all is read
   * @throws {UnprocessableError} for what json_decode refuses, for scalars and null, and beyond our own limits
   */
  read(bytes: number): boolean {
    const json = this.#json
    const form = this.#form
    const end = json.offset + form.length + bytes
    let next = this.#next
    while (next !== END && json.offset + form.length < end) {
      if (next === VALUE) next = this.#value()
      else if (next === TEXT) next = json.text(form) ? AFTER : TEXT
      if (next === AFTER) next = this.#after()
    }
    this.#next = next
    return next === END
  }

  /**
   * To be called when all is read: sets a key of the outermost array, in the place of one that is there.
   *
   * @param extra its key is no number
   */
  set(extra: Extra): void {
    this.#levels.reopen()
    this.#levels.beginKey()
    this.#levels.keys.putText(extra[0])
    this.#levels.beginMember()
    this.#levels.writeName()
    this.#form.putText(extra[1])
    this.#levels.endMember()
  }

  /** Whether a key came twice, so that the form has to be written anew. */
  get hasDuplicates(): boolean {
    return this.#levels.hasDuplicates
  }

  toForm(): Buffer {
    return this.#form.toBuffer(1)
  }

  /** In the place of toForm() where there are duplicates; yields now and then. */
  *toFormWithoutDuplicates(): Generator<void, Buffer> {
    const form = yield* this.#levels.withoutDuplicates()
    return form.toBuffer(1)
  }

  #value(): number {
    switch (this.#json.next()) {
      case QUOTE:
        this.#levels.writeName()
        this.#json.expect(QUOTE)
        return this.#json.text(this.#form) ? AFTER : TEXT
      case OBJECT:
        return this.#object()
      case ARRAY:
        return this.#array()
      case LETTER_T:
        this.#json.word('true')
        this.#levels.writeName()
        this.#form.put(ONE)
        return AFTER
      case LETTER_F:
        this.#json.word('false')
        this.#levels.writeName()
        this.#form.put(ZERO)
        return AFTER
      case LETTER_N:
        this.#json.word('null')
        return AFTER
      default:
        this.#levels.writeName()
        this.#json.number(this.#form)
        return AFTER
    }
  }

  #object(): number {
    this.#levels.openObject()
    this.#json.expect(OBJECT)
    if (!this.#json.take(OBJECT_END)) return this.#key()
    this.#levels.closeObject()
    return AFTER
  }

  #array(): number {
    this.#levels.openList()
    this.#json.expect(ARRAY)
    if (!this.#json.take(ARRAY_END)) return this.#element(0)
    this.#levels.closeList()
    return AFTER
  }

  #after(): number {
    const index = this.#levels.index
    if (index === OUTSIDE) return this.#end()
    if (index === IN_OBJECT) {
      this.#levels.endMember()
      if (this.#json.take(COMMA)) return this.#key()
      this.#json.expect(OBJECT_END)
      this.#levels.closeObject()
    } else {
      if (this.#json.take(COMMA)) return this.#element(index + 1)
      this.#json.expect(ARRAY_END)
      this.#levels.closeList()
    }
    return AFTER
  }

  #key(): number {
    this.#levels.beginKey()
    this.#json.key(this.#levels.keys)
    this.#json.expect(COLON)
    this.#levels.beginMember()
    return VALUE
  }

  #element(index: number): number {
    this.#levels.element(index)
    return VALUE
  }

  #end(): number {
    if (this.#json.next() !== undefined) this.#json.refuse()
    if (this.#levels.outermost === OUTSIDE) {
      throw new UnprocessableError('the body is a JSON scalar; an object or an array is needed')
    }
    return END
  }
}
