import { bodyHint } from './body-hints.ts'
import type { FormBytes } from './form-bytes.ts'
import { endOfNumber, isPlainInteger } from './json-number.ts'
import { readString } from './json-string.ts'
import { phpNumber } from './php-number.ts'
import { UnprocessableError } from './unprocessable.ts'

const [SPACE, TAB, LINE_FEED, RETURN] = [0x20, 0x09, 0x0a, 0x0d]
export const QUOTE = 0x22

/** Bytes of a string that are read at once. */
const PIECE = 64 * 1024
/** A key that is longer is no name of anything; PHP's own limits on names are far below. */
const MAX_KEY = 1024 * 1024

/** The tokens of one JSON text (RFC 8259), one after the other. */
export class JsonText {
  #json: Buffer = Buffer.alloc(0)
  #offset = 0

  /** @param json UTF-8 */
  begin(json: Buffer): void {
    this.#json = json
    this.#offset = 0
  }

  /** Of the next token, in bytes, once next() has looked for it. */
  get offset(): number {
    return this.#offset
  }

  /** @returns the first byte of the next token, which is not taken; undefined at the end */
  next(): number | undefined {
    const json = this.#json
    for (let offset = this.#offset; ; offset += 1) {
      const byte = json[offset]
      if (byte === SPACE || byte === LINE_FEED || byte === RETURN || byte === TAB) continue
      this.#offset = offset
      return byte
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

  /**
   * Takes what is left of a string, or a piece of it, and writes it as a form has it.
   *
   * @returns whether the string has ended
   */
  text(to: FormBytes, piece = PIECE): boolean {
    const json = this.#json
    const end = Math.min(this.#offset + piece, json.length)
    this.#offset = readString(json, this.#offset, end, to)
    if (json[this.#offset] === QUOTE) {
      this.#offset += 1
      return true
    }
    if (this.#offset < end || end === json.length) this.refuse()
    return false
  }

  /** Takes a string that is a key, and writes it as a form has it. */
  key(to: FormBytes): void {
    this.expect(QUOTE)
    if (!this.text(to, MAX_KEY))
      throw new UnprocessableError(`a key in the JSON body has more than ${MAX_KEY} bytes`)
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
    const isOver = this.#offset >= this.#json.length
    const reason = isOver ? 'it ends too early' : `unexpected character at offset ${this.#offset}`
    const hint = this.#offset === 0 ? bodyHint(this.#json) : undefined
    throw new UnprocessableError(`the body is not JSON: ${hint ?? reason}`)
  }
}
