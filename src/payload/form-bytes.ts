import { keyHash } from './key-hash.ts'
import { UnprocessableError } from './unprocessable.ts'

const PERCENT = 0x25
const HEX = Buffer.from('0123456789ABCDEF')

/** What an escape takes at most: a code point of four bytes, each `%XX`. */
const LONGEST = 12

/** Up to so many bytes a loop is faster than a call out of JavaScript. */
const LOOP_AT_MOST = 64

/** Every value repeats the keys around it, so a small deeply nested body could become an endless form. */
const MAX_BYTES = 128 * 1024 * 1024

/**
 * What becomes larger gets all the room there can be: the operating system gives memory only to pages that are written, while
 * copying what is there already would block for 200 ms.
 */
const DOUBLED_UP_TO = 1024 * 1024

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

/** Growing bytes of a form, up to 128 MiB, a dozen more or less. */
export class FormBytes {
  readonly #room: Buffer
  #bytes: Buffer
  #length = 0
  readonly #what: string

  /**
   * @param room bytes to begin with; more are taken when they are too few
   * @param what would have too many bytes, to begin a sentence with
   */
  constructor(room: number, what: string) {
    this.#room = Buffer.allocUnsafeSlow(room)
    this.#bytes = this.#room
    this.#what = what
  }

  /** Forgets everything, and gives back what was taken beyond the room to begin with. */
  clear(): void {
    this.#bytes = this.#room
    this.#length = 0
  }

  get length(): number {
    return this.#length
  }

  /** @returns the bytes from an offset on: a copy, except where there are too many to be copied for nothing */
  toBuffer(from: number): Buffer {
    if (this.#bytes !== this.#room) return this.#bytes.subarray(from, this.#length)
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
    if (to - from <= LOOP_AT_MOST)
      for (let at = from; at < to; at += 1) bytes[start + at - from] = source.#bytes[at] as number
    else source.#bytes.copy(bytes, start, from, to)
    this.#length = start + to - from
  }

  /** What tells a range from most others at a glance: keys that differ tend to do so at their ends. */
  print(from: number, to: number): number {
    return to === from ? 0 : ((to - from) << 8) | (this.#bytes[to - 1] as number)
  }

  /** Whether a range is the same as another one of its length. */
  equal(from: number, to: number, other: number): boolean {
    const bytes = this.#bytes
    const length = to - from
    if (length > LOOP_AT_MOST) return bytes.compare(bytes, other, other + length, from, to) === 0
    for (let at = length - 1; at >= 0; at -= 1) {
      if (bytes[from + at] !== bytes[other + at]) return false
    }
    return true
  }

  /** Of a range, with a key of its own in each process. */
  hash(from: number, to: number): number {
    return keyHash(this.#bytes, from, to)
  }

  #reserve(count: number): Buffer {
    const needed = this.#length + count
    if (needed <= this.#bytes.length) return this.#bytes
    if (needed > MAX_BYTES + LONGEST) {
      throw new UnprocessableError(`${this.#what} of more than ${MAX_BYTES} bytes`)
    }
    const doubled = Math.max(needed, 2 * this.#bytes.length)
    const grown = Buffer.allocUnsafeSlow(doubled > DOUBLED_UP_TO ? MAX_BYTES + LONGEST : doubled)
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
