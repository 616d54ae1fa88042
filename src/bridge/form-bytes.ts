import { UnprocessableError } from './unprocessable.ts'

const PERCENT = 0x25
const HEX = Buffer.from('0123456789ABCDEF')

/** What an escape takes at most: a code point of four bytes, each `%XX`. */
const LONGEST = 12

/**
 * What stands for each ASCII byte in a form, as PHP's urlencode has it: letters, digits and `-_.` themselves, `+` for a
 * space; 0 for all that is escaped.
 */
const PLAIN = new Uint8Array(256)
for (const byte of Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.'))
  PLAIN[byte] = byte
PLAIN[0x20] = 0x2b

/** What a JSON string ends with, or may not hold as it is: quote, backslash, and control characters (RFC 8259, section 7). */
const SPECIAL = new Uint8Array(256).fill(1, 0, 0x20)
SPECIAL[0x22] = 1
SPECIAL[0x5c] = 1

/** Growing bytes of a form. */
export class FormBytes {
  #bytes: Buffer
  #length = 0
  readonly #limit: number

  /**
   * @param bytes where to begin; replaced when they are too few
   * @param limit bytes at most, a dozen more or less
   */
  constructor(bytes: Buffer, limit = Number.POSITIVE_INFINITY) {
    this.#bytes = bytes
    this.#limit = limit
  }

  get length(): number {
    return this.#length
  }

  /** @param from the first byte of the copy */
  toBuffer(from: number): Buffer {
    const copy = Buffer.allocUnsafe(this.#length - from)
    this.#bytes.copy(copy, 0, from, this.#length)
    return copy
  }

  /** Forgets what comes after the first so many bytes. */
  truncate(length: number): void {
    this.#length = length
  }

  /** A byte as it is. */
  put(byte: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = byte
  }

  /** A number from 0 on, in decimal. */
  putInteger(value: number): void {
    if (value >= 10) this.putInteger(Math.floor(value / 10))
    this.put(0x30 + (value % 10))
  }

  /** A text, escaped; well-formed. */
  putText(text: string): void {
    for (let index = 0; index < text.length; index += 1) {
      const code = text.codePointAt(index) as number
      this.putCodePoint(code)
      if (code > 0xffff) index += 1
    }
  }

  /** A byte of a name or a value: itself, `+`, or `%XX`. */
  putEscaped(byte: number): void {
    this.#reserve(LONGEST)
    const plain = PLAIN[byte] as number
    if (plain !== 0) this.#bytes[this.#length++] = plain
    else this.#length = putPercent(this.#bytes, this.#length, byte)
  }

  /**
   * The bytes of a JSON string, escaped, up to the first that means something else than itself.
   *
   * @returns the offset of that byte; `end` where there is none
   */
  putPlainRun(source: Uint8Array, offset: number, end = source.length): number {
    let bytes = this.#bytes
    let length = this.#length
    let at = offset
    for (; at < end; at += 1) {
      const byte = source[at] as number
      if (SPECIAL[byte] === 1) break
      if (length + LONGEST > bytes.length) {
        this.#length = length
        bytes = this.#reserve(LONGEST)
      }
      const plain = PLAIN[byte] as number
      if (plain !== 0) bytes[length++] = plain
      else length = putPercent(bytes, length, byte)
    }
    this.#length = length
    return at
  }

  /** A code point as its UTF-8 bytes (RFC 3629, section 3). */
  putCodePoint(code: number): void {
    if (code < 0x80) {
      this.putEscaped(code)
      return
    }
    if (code < 0x800) this.putEscaped(0xc0 | (code >> 6))
    else {
      if (code < 0x10000) this.putEscaped(0xe0 | (code >> 12))
      else {
        this.putEscaped(0xf0 | (code >> 18))
        this.putEscaped(0x80 | ((code >> 12) & 0x3f))
      }
      this.putEscaped(0x80 | ((code >> 6) & 0x3f))
    }
    this.putEscaped(0x80 | (code & 0x3f))
  }

  /** Bytes that are escaped already. */
  copy(source: FormBytes, from: number, to: number): void {
    const bytes = this.#reserve(to - from)
    const start = this.#length
    // Up to here a loop is faster than a call out of JavaScript.
    if (to - from <= 64)
      for (let at = from; at < to; at += 1) bytes[start + at - from] = source.#bytes[at] as number
    else source.#bytes.copy(bytes, start, from, to)
    this.#length = start + to - from
  }

  /** Whether two ranges are the same. */
  equal(from: number, to: number, otherFrom: number, otherTo: number): boolean {
    if (to - from !== otherTo - otherFrom) return false
    // Keys that differ tend to do so at their ends.
    for (let at = to - 1, other = otherTo - 1; at >= from; at -= 1, other -= 1) {
      if (this.#bytes[at] !== this.#bytes[other]) return false
    }
    return true
  }

  /** Bytes that are escaped already, as a string. */
  text(from: number, to: number): string {
    return this.#bytes.toString('latin1', from, to)
  }

  #reserve(count: number): Buffer {
    const needed = this.#length + count
    if (needed <= this.#bytes.length) return this.#bytes
    if (needed > this.#limit + LONGEST) {
      throw new UnprocessableError(`the body becomes a form of more than ${this.#limit} bytes`)
    }
    const grown = Buffer.allocUnsafe(
      Math.max(needed, Math.min(2 * this.#bytes.length, this.#limit + LONGEST)),
    )
    this.#bytes.copy(grown, 0, 0, this.#length)
    this.#bytes = grown
    return grown
  }
}

function putPercent(bytes: Buffer, offset: number, byte: number): number {
  bytes[offset] = PERCENT
  bytes[offset + 1] = HEX[byte >> 4] as number
  bytes[offset + 2] = HEX[byte & 15] as number
  return offset + 3
}
