import fc, { type Arbitrary } from 'fast-check'

/* Numbers as JSON writes them, above all those at which a reader could go wrong. */

const DIGITS = [...'0123456789']
const digits = (minLength: number, maxLength: number) =>
  fc.array(fc.constantFrom(...DIGITS), { minLength, maxLength, size: 'max' }).map((all) => all.join(''))
const integer = fc
  .tuple(fc.constantFrom(...DIGITS.slice(1)), digits(0, 21))
  .map(([first, rest]) => first + rest)
const sign = fc.constantFrom('', '', '-')
const exponent = (most: number) =>
  fc
    .tuple(fc.constantFrom('e', 'E', 'e+', 'e-', 'E-'), fc.integer({ min: 0, max: most }))
    .map((all) => all.join(''))

/** Around the ends of int64, where integers become floats, and around the ends of what a double holds exactly. */
const edge = fc
  .tuple(
    fc.constantFrom(2n ** 63n, 2n ** 64n, 2n ** 53n, 10n ** 14n, 10n ** 15n, 10n ** 18n, 10n ** 19n),
    fc.bigInt({ min: -2_000n, max: 2_000n }),
  )
  .map(([middle, distance]) => String(middle + distance))

/** Doubles exactly half-way between two numbers of 14 digits. */
const half = fc.oneof(
  fc
    .tuple(fc.integer({ min: 1e12, max: 9.9e12 }), fc.constantFrom('25', '75', '250', '7500'))
    .map((all) => all.join('.')),
  fc.integer({ min: 1e13, max: 9.9e13 }).map((number) => `${number}.5`),
  fc.integer({ min: 1e13, max: 9.9e13 }).map((number) => `${number}5.0`),
  fc
    .integer({ min: 3_277, max: 32_767 })
    .map((number) => ((2 * Math.floor(number / 2) + 1) / 2 ** 15).toFixed(15)),
)

const signed = (number: Arbitrary<string>) => fc.tuple(sign, number).map((all) => all.join(''))

export const number: Arbitrary<string> = signed(
  fc.oneof(
    fc.constantFrom(
      '0',
      '0.0',
      '0e0',
      '1',
      '1.0',
      '100',
      '0.1',
      '0.0001',
      '0.00001',
      '1e14',
      '1e15',
      '1e400',
      '5e-324',
    ),
    integer,
    edge,
    half,
    fc.tuple(integer, digits(1, 18)).map((all) => all.join('.')),
    fc
      .tuple(fc.constantFrom('0.', '0.0', '0.000', '0.0000', '0.00000'), digits(1, 18))
      .map((all) => all.join('')),
    fc.tuple(integer, exponent(30)).map((all) => all.join('')),
    fc.tuple(integer, fc.constant('.'), digits(1, 18), exponent(340)).map((all) => all.join('')),
    fc.double({ noDefaultInfinity: true, noNaN: true, min: 0 }).map(String),
  ),
)

/** In one of many cases, none. */
export const nastyNumber: Arbitrary<string> = fc.oneof(
  { weight: 60, arbitrary: number },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '01',
      '-',
      '+1',
      '.5',
      '1.',
      '1e',
      '1e+',
      '--1',
      '0x10',
      '1_000',
      'NaN',
      'Infinity',
      '-01',
      '1.e1',
      '1E+-1',
    ),
  },
)
