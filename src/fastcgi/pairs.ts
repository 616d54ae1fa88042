import { MAX_CONTENT_BYTES } from './protocol.ts'

/** Lengths up to this take one byte, longer ones four with the highest bit set (FastCGI 1.0, section 3.4). */
const MAX_SHORT_LENGTH = 127

const BEYOND_ASCII = /[\u0080-\uffff]/

/**
 * Encodes the name-value pairs of some tables, one after the other, into the contents of as few records as possible.
 *
 * The specification lets a pair run over from one record to the next; php-fpm parses every record for itself
 * (main/fastcgi.c, fcgi_read_request) and would misread the rest. So records end where pairs end.
 *
 * @returns contents of 1 to 65,535 bytes each; none when there are no pairs
 * @throws {RangeError} naming the param that fits into no record
 */
export function encodePairs(...tables: readonly Readonly<Record<string, string>>[]): Buffer[] {
  return encodeShort(tables) ?? encodeAny(tables)
}

/**
 * Most pairs are short, and of ASCII: then all that is to be known of them can be asked of their content as a whole.
 *
 * @returns undefined where they are other than that
 */
function encodeShort(tables: readonly Readonly<Record<string, string>>[]): Buffer[] | undefined {
  let content = ''
  for (const params of tables) {
    for (const name of Object.keys(params)) {
      const value = params[name] as string
      if (name.length > MAX_SHORT_LENGTH || value.length > MAX_SHORT_LENGTH) return undefined
      content += String.fromCharCode(name.length, value.length) + name + value
    }
  }
  if (content.length > MAX_CONTENT_BYTES || BEYOND_ASCII.test(content)) return undefined
  return content === '' ? [] : [Buffer.from(content, 'latin1')]
}

function encodeAny(tables: readonly Readonly<Record<string, string>>[]): Buffer[] {
  const contents: Buffer[] = []
  let content = ''
  for (const params of tables) {
    for (const name of Object.keys(params)) {
      const pair = encodePair(toBytes(name), toBytes(params[name] as string))
      if (pair.length > MAX_CONTENT_BYTES) {
        throw new RangeError(
          `param ${name} takes ${pair.length} bytes; a FastCGI record holds ${MAX_CONTENT_BYTES}`,
        )
      }
      if (content.length + pair.length > MAX_CONTENT_BYTES) {
        contents.push(Buffer.from(content, 'latin1'))
        content = ''
      }
      content += pair
    }
  }
  if (content !== '') contents.push(Buffer.from(content, 'latin1'))
  return contents
}

/*
 * Bytes are put together as a string with a character for each: joining short strings costs next to nothing, while each
 * write into a buffer is a call out of JavaScript.
 */

function encodePair(name: string, value: string): string {
  return encodeLength(name.length) + encodeLength(value.length) + name + value
}

function encodeLength(length: number): string {
  return length <= MAX_SHORT_LENGTH
    ? String.fromCharCode(length)
    : String.fromCharCode(
        (length >>> 24) | 0x80,
        (length >>> 16) & 0xff,
        (length >>> 8) & 0xff,
        length & 0xff,
      )
}

/** The bytes of its UTF-8 form. */
function toBytes(text: string): string {
  return BEYOND_ASCII.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text
}
