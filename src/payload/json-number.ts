const ascii = (character: string): number => character.charCodeAt(0)
const [ZERO, NINE, MINUS, PLUS, POINT] = [ascii('0'), ascii('9'), ascii('-'), ascii('+'), ascii('.')]
const [LETTER_E, SMALL_E] = [ascii('E'), ascii('e')]

/**
 * Finds the end of a JSON number (RFC 8259, section 6).
 *
 * @returns the offset behind it; the given one when there is no number
 */
export function endOfNumber(json: Uint8Array, offset: number): number {
  const digits = json[offset] === MINUS ? offset + 1 : offset
  const integer = json[digits] === ZERO ? digits + 1 : endOfDigits(json, digits)
  if (integer === digits) return offset
  const fraction = json[integer] === POINT ? endOfDigits(json, integer + 1) : integer
  if (fraction === integer + 1) return offset
  if (json[fraction] !== LETTER_E && json[fraction] !== SMALL_E) return fraction
  const sign = json[fraction + 1]
  const power = sign === PLUS || sign === MINUS ? fraction + 2 : fraction + 1
  const end = endOfDigits(json, power)
  return end === power ? offset : end
}

function endOfDigits(json: Uint8Array, offset: number): number {
  let at = offset
  for (let byte = json[at]; byte !== undefined && byte >= ZERO && byte <= NINE; byte = json[at]) at += 1
  return at
}

/** Integers of so many digits are in int64, whatever the digits. */
const SAFE_DIGITS = 18

/** Whether a number needs no thought: an integer within int64, and not -0. */
export function isPlainInteger(json: Uint8Array, offset: number, end: number): boolean {
  const digits = json[offset] === MINUS ? offset + 1 : offset
  if (end - digits > SAFE_DIGITS || (digits > offset && json[digits] === ZERO)) return false
  return endOfDigits(json, digits) === end
}
