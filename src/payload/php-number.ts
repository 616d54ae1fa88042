/**
 * JSON numbers as PHP 8 writes them after json_decode: integers in int64 stay integers, all others become
 * floats and are written by http_build_query with the ini setting `precision`, 14 significant digits
 * (ext/json/json_scanner.re; main/snprintf.c, php_gcvt).
 */

const SIGNIFICANT_DIGITS = 14
/** Fraction digits that toExponential offers at most: enough to tell an exact half from all that is near it. */
const EXACT_DIGITS = 100
const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

/** @param token a number as JSON's grammar has it */
export function phpNumber(token: string): string {
  // Up to 14 digits come out of a double as they went in; below 0.0001 they are written with an exponent.
  if (token.length <= SIGNIFICANT_DIGITS && /^-?(?!0\.000)\d+\.\d+$/.test(token))
    return token.replace(/\.?0+$/, '')
  // Up to 15 characters there is nothing to decide, above 20 neither; BigInt is slow, and on long tokens very.
  if (token.length > 20 || /[.eE]/.test(token)) return phpFloat(Number(token))
  if (token.length > 15) {
    const integer = BigInt(token)
    if (integer < INT64_MIN || integer > INT64_MAX) return phpFloat(Number(token))
  }
  return token === '-0' ? '0' : token
}

/** A float as `sprintf('%.14G')` has it in PHP. */
function phpFloat(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? 'INF' : '-INF'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const sign = value < 0 ? '-' : ''
  const [digits, exponent] = significantDigits(Math.abs(value))
  if (exponent < -4 || exponent >= SIGNIFICANT_DIGITS) {
    const fraction = digits.slice(1) || '0'
    return `${sign}${digits[0]}.${fraction}E${exponent < 0 ? '-' : '+'}${Math.abs(exponent)}`
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  const integer = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  const fraction = digits.slice(exponent + 1)
  return `${sign}${integer}${fraction && `.${fraction}`}`
}

/** The digits, the first of them before the point, and the power of ten of the first. */
function significantDigits(value: number): [digits: string, exponent: number] {
  const rounded = value.toExponential(SIGNIFICANT_DIGITS - 1)
  const mantissa = rounded.slice(0, rounded.indexOf('e')).replace('.', '')
  const exponent = Number(rounded.slice(rounded.indexOf('e') + 1))
  // toExponential rounds an exact half up, zend_dtoa to the even digit. Where they differ the digit is odd,
  // so that taking one away never borrows.
  const last = Number(mantissa.at(-1))
  const isRoundedDown = last % 2 === 1 && isExactHalf(value)
  const digits = isRoundedDown ? mantissa.slice(0, -1) + (last - 1) : mantissa
  // Integers below 10^15 have a way of their own through zend_dtoa, which keeps the zeros that it rounds down to
  // (Zend/zend_strtod.c, "Do we have a small integer?").
  const keepsZeros = isRoundedDown && exponent === SIGNIFICANT_DIGITS
  return [keepsZeros ? digits : digits.replace(/0+$/, ''), exponent]
}

function isExactHalf(value: number): boolean {
  const exact = value.toExponential(EXACT_DIGITS)
  const rest = exact.slice(SIGNIFICANT_DIGITS + 1, exact.indexOf('e'))
  return /^50*$/.test(rest)
}
