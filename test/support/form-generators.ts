import fc, { type Arbitrary } from 'fast-check'
import { DOCUMENTS } from './form-documents.ts'
import { nastyNumber, number } from './form-numbers.ts'

/*
 * JSON as text, a token at a time: values turned into JSON would have no key twice, no escape that nobody needs, and no
 * number that JavaScript has not.
 */

const joined = (piece: Arbitrary<string>, maxLength: number) =>
  fc.array(piece, { maxLength }).map((pieces) => pieces.join(''))
const escaped = (unit: number) => `\\u${unit.toString(16).padStart(4, '0')}`
const codeUnits = (min: number, max: number) => fc.integer({ min, max }).map(escaped)
const oneOf = (texts: Iterable<string>) => fc.constantFrom(...texts)

const character = fc.oneof(
  { weight: 12, arbitrary: oneOf('abcXYZ019-_. ') },
  { weight: 4, arbitrary: oneOf("~*+&=%?#/[]!'(),:;<>@^`{|}$\x7f") },
  {
    weight: 4,
    arbitrary: oneOf(['ä', '€', '😀', '\u2028', '\ufeff', '\uffff', '\u{10ffff}', '\u0080', '\u0800']),
  },
  { weight: 4, arbitrary: oneOf('"\\/bfnrt').map((letter) => `\\${letter}`) },
  { weight: 2, arbitrary: codeUnits(0, 0x7f) },
  { weight: 2, arbitrary: fc.oneof(codeUnits(0x80, 0xd7ff), codeUnits(0xe000, 0xffff)) },
  {
    weight: 2,
    arbitrary: fc.tuple(codeUnits(0xd800, 0xdbff), codeUnits(0xdc00, 0xdfff)).map((pair) => pair.join('')),
  },
)
/** In one of many cases, what a JSON string must not hold. */
const nastyCharacter = fc.oneof(
  { weight: 30, arbitrary: character },
  { weight: 1, arbitrary: codeUnits(0xd800, 0xdfff) },
  {
    weight: 1,
    arbitrary: oneOf(['\\x41', '\\u', '\\u00g0', '\\u{41}', '\\U0041', '\\', '"', '\n', '\0', '\x1f']),
  },
)

/** Those that PHP or JavaScript might see something in, and few enough to come twice. */
const KEYS = [
  ...['', 'a', 'a', 'b', '\\u0061', 'daemonId', '__proto__', 'constructor', 'toJSON', 'length', '\\u0000a'],
  ...[
    '0',
    '1',
    '2',
    '-1',
    '-0',
    '01',
    '1.0',
    ' 1',
    '9223372036854775807',
    '9223372036854775808',
    '-9223372036854775808',
  ],
  ...['a b', 'a.b', 'a[b]', 'a]', '[', 'ä', '~'],
]
const space = fc.oneof({ weight: 12, arbitrary: fc.constant('') }, joined(oneOf(' \t\r\n'), 3))

/** A document as text: mostly an object or an array, seldom a scalar. */
function documents(character: Arbitrary<string>, number: Arbitrary<string>): Arbitrary<string> {
  const spaced = (text: Arbitrary<string>) => fc.tuple(space, text, space).map((all) => all.join(''))
  const list = (open: string, element: Arbitrary<string>, close: string) =>
    fc
      .array(element, { maxLength: 12, size: 'max', depthIdentifier: 'json' })
      .map((all) => open + all.join() + close)
  const quoted = joined(character, 12).map((text) => `"${text}"`)
  const key = fc.oneof({ weight: 2, arbitrary: oneOf(KEYS).map((text) => `"${text}"`) }, quoted)
  const scalar = fc.oneof(quoted, number, oneOf(['true', 'false', 'null']))
  const { value } = fc.letrec<{ value: string; container: string }>((tie) => ({
    value: fc.oneof({ depthIdentifier: 'json', maxDepth: 5 }, scalar, tie('container')),
    container: fc.oneof(
      list(
        '{',
        fc.tuple(spaced(key), spaced(tie('value'))).map((member) => member.join(':')),
        '}',
      ),
      list('[', spaced(tie('value')), ']'),
    ),
  }))
  const container = fc.oneof(
    list(
      '{',
      fc.tuple(spaced(key), spaced(value)).map((member) => member.join(':')),
      '}',
    ),
    list('[', spaced(value), ']'),
  )
  return spaced(fc.oneof({ weight: 20, arbitrary: container }, scalar))
}

/** Arrays and objects in each other, about as deep as json_decode goes. */
const nested = fc
  .tuple(
    fc.integer({ min: 508, max: 514 }),
    fc.array(oneOf(['[', '{"":', '{"a":', '[null,']), { minLength: 1, maxLength: 5 }),
    oneOf(['', '1', '{}', '[]', '"x"']),
  )
  .map(([depth, openings, inside]) => {
    const all = Array.from({ length: depth }, (_, level) => openings[level % openings.length] ?? '[')
    const value = inside === '' && all.at(-1) !== '[' ? 'null' : inside
    return (
      all.join('') +
      value +
      all
        .reverse()
        .map((opening) => (opening[0] === '{' ? '}' : ']'))
        .join('')
    )
  })

/** More members than are looked at one by one, keys that come twice far apart, and forms of many kibibytes. */
const large = fc
  .array(fc.tuple(fc.nat(60), joined(character, 8), fc.nat(100)), {
    minLength: 20,
    maxLength: 80,
    size: 'max',
  })
  .map((members) => `{${members.map(([key, text, times]) => `"key ${key}":"${text.repeat(times)}"`)}}`)

/** Bytes taken out, put in, changed, doubled, or cut off. */
function mutated(document: Arbitrary<Buffer>): Arbitrary<Buffer> {
  const edit = fc.record({
    kind: fc.constantFrom('change', 'insert', 'remove', 'double', 'cut'),
    // No double: those that fast-check makes are nearly all next to 0.
    at: fc.nat(9_999),
    count: fc.integer({ min: 1, max: 6 }),
    byte: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(...Buffer.from('{}[]",:\\ue-+.019 '))),
  })
  return fc.tuple(document, fc.array(edit, { minLength: 1, maxLength: 3 })).map(([bytes, edits]) =>
    edits.reduce((before, { kind, at, count, byte }) => {
      const offset = Math.floor((at / 10_000) * before.length)
      const [head, part, tail] = [0, offset, offset + count].map((from, index, all) =>
        before.subarray(from, all[index + 1]),
      ) as [Buffer, Buffer, Buffer]
      if (kind === 'cut') return head
      if (kind === 'remove') return Buffer.concat([head, tail])
      if (kind === 'double') return Buffer.concat([head, part, part, tail])
      const one = Buffer.from([byte])
      return Buffer.concat([head, one, kind === 'insert' ? part : part.subarray(1), tail])
    }, bytes),
  )
}

const asBytes = (text: Arbitrary<string>) => text.map((each) => Buffer.from(each))
const good = asBytes(documents(character, number))
const corpus = fc.constantFrom(...DOCUMENTS).map((each) => Buffer.from(each as string))

/** Bodies of all kinds; json_decode refuses about one in three. */
export const bodies: Arbitrary<Buffer> = fc.oneof(
  { weight: 10, arbitrary: good },
  { weight: 4, arbitrary: asBytes(documents(nastyCharacter, nastyNumber)) },
  {
    weight: 3,
    arbitrary: asBytes(
      fc.array(nastyNumber, { minLength: 1, maxLength: 40, size: 'max' }).map((all) => `[${all}]`),
    ),
  },
  { weight: 3, arbitrary: mutated(good) },
  { weight: 1, arbitrary: mutated(corpus) },
  { weight: 1, arbitrary: asBytes(nested) },
  { weight: 1, arbitrary: asBytes(large) },
  { weight: 1, arbitrary: asBytes(fc.json()) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)) },
)
