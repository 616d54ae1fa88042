import type { FormBytes } from './form-bytes.ts'
import { endOfNumber, isPlainInteger } from './json-number.ts'
import { readString } from './json-string.ts'
import { phpNumber } from './php-number.ts'
import { UnprocessableError } from './unprocessable.ts'

const [SPACE, TAB, LINE_FEED, RETURN] = [0x20, 0x09, 0x0a, 0x0d]
export const QUOTE = 0x22

/** The tokens of one JSON text (RFC 8259), one after the other. */
export class JsonText {
  readonly #json: Buffer
  #offset = 0

  /** @param json UTF-8 */
  constructor(json: Buffer) {
    this.#json = json
  }

  /** Of the next token, in bytes, once next() has looked for it. */
  get offset(): number {
    return this.#offset
  }

  /** @returns the first byte of the next token, which is not taken; undefined at the end */
  next(): number | undefined {
    for (;;) {
      const byte = this.#json[this.#offset]
      if (byte !== SPACE && byte !== LINE_FEED && byte !== RETURN && byte !== TAB) return byte
      this.#offset += 1
    }
  }

  /** @returns whether the next token is this byte; then it is taken */
  take(byte: number): boolean {
    if (this.next() !== byte) return false
    this.#offset += 1
    return true
  }

  /** Takes a token that must be this byte. */
  expect(byte: number): void {
    if (!this.take(byte)) this.refuse()
  }

  /** Takes `true`, `false` or `null`. */
  word(word: string): void {
    for (let index = 0; index < word.length; index += 1) {
      if (this.#json[this.#offset + index] !== word.charCodeAt(index)) this.refuse()
    }
    this.#offset += word.length
  }

  /** Takes a string, and writes it as a form has it. */
  string(to: FormBytes): void {
    this.expect(QUOTE)
    this.#offset = readString(this.#json, this.#offset, to)
    if (this.#json[this.#offset] !== QUOTE) this.refuse()
    this.#offset += 1
  }

  /** Takes a number, and writes it as PHP does. */
  number(to: FormBytes): void {
    const start = this.#offset
    const end = endOfNumber(this.#json, start)
    if (end === start) this.refuse()
    this.#offset = end
    if (isPlainInteger(this.#json, start, end)) to.putPlainRun(this.#json, start, end)
    else to.putText(phpNumber(this.#json.toString('latin1', start, end)))
  }

  refuse(): never {
    throw new UnprocessableError(
      this.#offset < this.#json.length
        ? `the body is not JSON: unexpected character at offset ${this.#offset}`
        : 'the body is not JSON: it ends too early',
    )
  }
}
