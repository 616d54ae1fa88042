import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodePairs } from '../../../src/fastcgi/pairs.ts'
import { decodePairs } from './decode.ts'

const MAX_CONTENT = 65_535

/** One pair as the only content there is. */
function encodeOne(name: string, value: string): Buffer {
  const [content, ...others] = encodePairs({ [name]: value })
  expect(others).toEqual([])
  return content as Buffer
}

describe('a pair (FastCGI 1.0, section 3.4)', () => {
  it.each<[string, string, string, number[]]>([
    ['an ordinary one', 'A', '1', [1, 1, 0x41, 0x31]],
    ['an empty value', 'A', '', [1, 0, 0x41]],
    ['an empty name', '', '1', [0, 1, 0x31]],
    ['nothing at all', '', '', [0, 0]],
    ['text beyond ASCII counts in bytes', 'ü', '€', [2, 3, 0xc3, 0xbc, 0xe2, 0x82, 0xac]],
    ['half a surrogate pair becomes U+FFFD', 'A', '\ud800', [1, 3, 0x41, 0xef, 0xbf, 0xbd]],
    ['a NUL is a byte like any other', 'A', '\0', [1, 1, 0x41, 0]],
  ])('%s', (_, name, value, bytes) => {
    expect([...encodeOne(name, value)]).toEqual(bytes)
  })

  it.each<[number, number, number[]]>([
    [127, 127, [127, 127]],
    [127, 128, [127, 0x80, 0, 0, 128]],
    [128, 127, [0x80, 0, 0, 128, 127]],
    [128, 128, [0x80, 0, 0, 128, 0x80, 0, 0, 128]],
    [1, 65_000, [1, 0x80, 0, 0xfd, 0xe8]],
    [255, 256, [0x80, 0, 0, 255, 0x80, 0, 1, 0]],
  ])('of %d and %d bytes has its lengths in one byte up to 127, in four above', (name, value, lengths) => {
    const pair = encodeOne('n'.repeat(name), 'v'.repeat(value))
    expect([...pair.subarray(0, lengths.length)]).toEqual(lengths)
    expect(pair.toString('latin1', lengths.length)).toBe('n'.repeat(name) + 'v'.repeat(value))
  })
})

describe('the contents of records', () => {
  it('are none without pairs: the empty record that ends the stream is the caller’s', () => {
    expect(encodePairs({})).toEqual([])
  })

  it('hold as many pairs as fit', () => {
    // Each takes 5 + 1 + 127 bytes and more: 4 + 1 + 1 + 999.
    const params = Object.fromEntries(Array.from({ length: 170 }, (_, n) => [`P${100 + n}`, 'x'.repeat(991)]))
    expect(encodePairs(params).map((content) => content.length)).toEqual([65_000, 65_000, 40_000])
  })

  it('are filled to the last byte, and no further', () => {
    // 1 + 4 bytes of lengths and one of name.
    const exactly = { A: 'x'.repeat(30_000), B: 'x'.repeat(MAX_CONTENT - 30_006 - 6) }
    expect(encodePairs(exactly).map((content) => content.length)).toEqual([MAX_CONTENT])
    expect(encodePairs({ ...exactly, B: `${exactly.B}x` }).map((content) => content.length)).toEqual([
      30_006,
      MAX_CONTENT - 30_006 + 1,
    ])
  })

  it('end where a pair ends: php-fpm parses every record for itself', () => {
    const params = Object.fromEntries(
      Array.from({ length: 40 }, (_, n) => [`P${n}`, 'x'.repeat((n * 7_919) % 60_000)]),
    )
    for (const content of encodePairs(params)) {
      expect(content.length).toBeLessThanOrEqual(MAX_CONTENT)
      expect(() => decodePairs(content)).not.toThrow()
    }
  })

  it.each([
    [MAX_CONTENT - 6, 1],
    [MAX_CONTENT - 5, 0],
    [MAX_CONTENT, 0],
    [200_000, 0],
  ])('a value of %d bytes fits into one (%d) or is refused with the param’s name', (bytes, records) => {
    const encode = () => encodePairs({ BEFORE: '1', A: 'x'.repeat(bytes) })
    if (records === 1) expect(encode().map((content) => content.length)).toEqual([9, MAX_CONTENT])
    else
      expect(encode).toThrow(new RangeError(`param A takes ${bytes + 6} bytes; a FastCGI record holds 65535`))
  })

  it('give back what was put in, in its order', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ minLength: 120, maxLength: 140 }))
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text)), (pairs) => {
        const params = Object.fromEntries(pairs)
        const decoded = encodePairs(params).flatMap((content) => decodePairs(content))
        const wellFormed = (value: string) => Buffer.from(value).toString()
        expect(decoded).toEqual(
          Object.entries(params).map(([name, value]) => [wellFormed(name), wellFormed(value)]),
        )
      }),
    )
  })
})
