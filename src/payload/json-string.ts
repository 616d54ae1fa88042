import type { FormBytes } from './form-bytes.ts'
import { UnprocessableError } from './unprocessable.ts'

const BACKSLASH = 0x5c
const LETTER_U = 0x75

/** What a backslash makes of the byte behind it (RFC 8259, section 7); `u` and its four digits are another matter. */
const ESCAPES: ReadonlyMap<number | undefined, number> = new Map(
  Object.entries({ '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }).map(
    ([letter, meant]) => [letter.charCodeAt(0), meant.charCodeAt(0)],
  ),
)

/**
 * Reads what is between the quotes of a JSON string, and writes it as a form has it.
 *
 * @param json UTF-8
 * @param offset of the first byte to read, which belongs to the string
 * @param end where to stop, or behind the escape there
 * @returns the offset of the first byte that was not read: before `end` it is no part of the string, but the closing quote in
 *   good JSON, else a control character
 * @throws {UnprocessableError} for an escape that json_decode refuses
 */
export function readString(json: Uint8Array, offset: number, end: number, form: FormBytes): number {
  let at = form.putPlainRun(json, offset, end)
  while (at < end && json[at] === BACKSLASH) {
    // A string that ends in its escape ends too early; everything else that is no escape is refused here.
    if (at + 1 === json.length) return at + 1
    at = json[at + 1] === LETTER_U ? readUnicode(json, at, form) : readLetter(json, at, form)
    at = form.putPlainRun(json, at, end)
  }
  return at
}

function readLetter(json: Uint8Array, backslash: number, form: FormBytes): number {
  const meant = ESCAPES.get(json[backslash + 1])
  if (meant === undefined) refuse()
  form.putEscaped(meant)
  return backslash + 2
}

function readUnicode(json: Uint8Array, backslash: number, form: FormBytes): number {
  const unit = codeUnit(json, backslash)
  if (unit < 0xd800 || unit > 0xdfff) {
    form.putCodePoint(unit)
    return backslash + 6
  }
  const second = backslash + 6
  const low = json[second] === BACKSLASH && json[second + 1] === LETTER_U ? codeUnit(json, second) : 0
  if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff) {
    throw new UnprocessableError('a \\u escape in the JSON body is half of a surrogate pair')
  }
  form.putCodePoint(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00))
  return second + 6
}

/** The four hexadecimal digits of a `\u` escape. */
function codeUnit(json: Uint8Array, backslash: number): number {
  let unit = 0
  for (let at = backslash + 2; at < backslash + 6; at += 1) {
    const byte = json[at] ?? 0
    if (byte >= 0x30 && byte <= 0x39) unit = unit * 16 + byte - 0x30
    else {
      const letter = byte | 0x20
      if (letter < 0x61 || letter > 0x66) refuse()
      unit = unit * 16 + letter - 0x57
    }
  }
  return unit
}

function refuse(): never {
  throw new UnprocessableError('the body is not JSON: a string has an escape that JSON does not know')
}
