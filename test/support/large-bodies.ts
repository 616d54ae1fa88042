/** A large body: what it begins with, parts until it is large enough, and what it ends with. */
interface Shape {
  readonly begin: string
  readonly part: (index: number) => string
  readonly end: string
}

const object = (part: (index: number) => string): Shape => ({ begin: '{', part, end: '"last":1}' })
const list = (part: (index: number) => string): Shape => ({ begin: '[', part, end: '1]' })
const text = (part: string): Shape => ({ begin: '{"text":"', part: () => part, end: '"}' })
const name = (index: number) => index.toString(36)

/** Bodies that are hard in one way each. */
export const SHAPES: Readonly<Record<string, Shape>> = {
  'short keys': object((index) => `"${name(index)}":[],`),
  'short keys with values': object((index) => `"${name(index)}":1,`),
  'keys that collide in a Map': object((index) => `"${(index % 2 ** 15) * 65_536}":0,"${index}":0,`),
  'objects of many keys': object(
    (index) =>
      `"g${index}":{${Array.from({ length: 50_000 }, (_, key) => `"${name(key)}":0`).join()},"again":0,"again":1},`,
  ),
  'objects of few keys': list((index) => `{"id":${index},"name":"n","list":[1,2]},`),
  'long keys': object((index) => `"${index}${'k'.repeat(60_000)}":null,`),
  'a few very long keys': object((index) => `"${'!'.repeat(900_000)}${index}":null,`),
  'one key again and again': object(() => '"a":1,'),
  'keys again, nested': object(() => '"a":{"a":1,"a":{"a":2,"a":3}},'),
  'many keys twice': object((index) => `"${name(index >> 1)}":1,`),
  '511 levels': list(() => `${'{"":'.repeat(510)}[]${'}'.repeat(510)},`),
  '511 levels of keys twice': {
    begin: `${'{"a":1,"a":'.repeat(500)}["`,
    part: () => 'x'.repeat(1_000),
    end: `"]${'}'.repeat(500)}`,
  },
  'a path that is repeated': list((index) => `{"${'p'.repeat(100)}":{"${'q'.repeat(100)}":${index}}},`),
  'opening brackets': { begin: '', part: () => '[', end: '' },
  'a long text': text('The quick brown fox. '),
  'a text of escapes': text('\\n\\u00e9'),
  'a text of UTF-8': text('Größe: 5 € 😀'),
  'short texts': list(() => '"a",'),
  integers: list((index) => `${index % 10},`),
  'decimal numbers': list((index) => `${index}.25,`),
  'halves in the 14th digit': list((index) => `1234567890${100 + (index % 900)}.25,`),
  'large integers': list(() => '9223372036854775807,'),
  'one endless number': { begin: '[', part: () => '9'.repeat(1_000), end: ']' },
  'one endless decimal': { begin: '[0.', part: () => '9'.repeat(1_000), end: ']' },
  'empty lists': list(() => '[],'),
  'white space': list(() => ' '.repeat(1_000)),
  'no UTF-8 at the end': { begin: '["', part: () => 'x'.repeat(1_000), end: '\ud800"]' },
}

/** @returns a body of the shape with so many bytes, or a part more */
export function largeBody(shape: Shape, bytes: number): Buffer {
  let body = Buffer.allocUnsafe(bytes + 1_024 * 1_024)
  let length = body.write(shape.begin)
  const end = Buffer.from(shape.end, shape.end.includes('\ud800') ? 'latin1' : 'utf8')
  for (let index = 0; length < bytes; ) {
    // Some parts at once: each call costs more than it writes.
    let parts = ''
    while (parts.length < 16 * 1_024 && length + parts.length < bytes) parts += shape.part(index++)
    if (length + 3 * parts.length + end.length > body.length) body = Buffer.concat([body], body.length * 2)
    length += body.write(parts, length)
  }
  length += end.copy(body, length)
  return body.subarray(0, length)
}
