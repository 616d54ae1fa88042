import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeDecodable } from '../../../src/amqp/field-table.ts'
import { nestedFields } from '../../support/amqp-frames.ts'

/** amqplib's own decoder, which it does not export. */
const codec = fileURLToPath(new URL('../../../node_modules/amqplib/lib/codec.js', import.meta.url))
const { decodeFields } = createRequire(import.meta.url)(codec) as { decodeFields: (fields: Buffer) => object }

const bytes = (latin1: string) => Buffer.from(latin1, 'latin1')

/** The types that RabbitMQ 3.10 takes from a publisher, each with a value. */
const VALUES: readonly string[] = [
  'V',
  't\x01',
  'b\xff',
  'B\xff',
  's\xff\xfe',
  'u\xff\xfe',
  'I\xff\xff\xff\xfe',
  'i\xff\xff\xff\xfe',
  'f\x3f\x80\0\0',
  'D\x02\0\0\0\x07',
  'd\x3f\xf0\0\0\0\0\0\0',
  'l\xff\xff\xff\xff\xff\xff\xff\xfe',
  'T\0\0\0\0\x65\0\0\0',
  'S\0\0\0\x03abc',
  'x\0\0\0\x03abc',
  'F\0\0\0\x03\x01bV',
  'A\0\0\0\x02VV',
]

describe('a table that amqplib can decode is left as it is', () => {
  it.each(VALUES)('%j', (value) => {
    const fields = bytes(`\x01a${value}\x01zt\0`)
    const before = Buffer.from(fields)
    expect(makeDecodable(fields)).toBeUndefined()
    expect(fields).toEqual(before)
    expect(decodeFields(fields)).toMatchObject({ z: false })
  })

  it('no fields at all', () => {
    expect(makeDecodable(Buffer.alloc(0))).toBeUndefined()
  })
})

it('an unsigned 64-bit integer becomes the double next to it, wherever it is', () => {
  const max = 'L\xff\xff\xff\xff\xff\xff\xff\xff'
  const fields = bytes(`\x01a${max}\x01bA\0\0\0\x0aV${max}\x01cF\0\0\0\x0b\x01d${max}`)
  expect(makeDecodable(fields)).toBeUndefined()
  expect(decodeFields(fields)).toEqual({ a: 2 ** 64, b: [null, 2 ** 64], c: { d: 2 ** 64 } })
})

it.each(['A', 'F'] as const)('%s: 511 levels can be decoded, 512 are refused', (type) => {
  expect(makeDecodable(nestedFields(511, type))).toBeUndefined()
  expect(makeDecodable(nestedFields(512, type))).toBe('nests deeper than 511 levels')
})

it.each([
  ['\x01aZ', 'has a value of the unknown type "Z"'],
  ['\x01a', 'ends in the middle of a field'],
  ['\x05a', 'ends in the middle of a field'],
  ['\x01aI\0', 'ends in the middle of a field'],
  ['\x01aL\0', 'ends in the middle of a field'],
  ['\x01aS\0\0', 'ends in the middle of a field'],
  ['\x01aS\0\0\0\x05abc', 'ends in the middle of a field'],
  // The inner table claims what belongs to the outer one.
  ['\x01aF\0\0\0\x02\x01b\x01cV', 'ends in the middle of a field'],
  ['\x01aA\0\0\0\x03I\0\0\0\x01', 'ends in the middle of a field'],
])('%j: %s', (fields, reason) => {
  expect(makeDecodable(bytes(fields))).toBe(reason)
})

it('whatever it passes, amqplib decodes', () => {
  const likely = fc.constantFrom(...'\0\x01\x02SFAxLlIbt')
  const text = fc.array(fc.oneof(likely, fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 1 })))
  let passed = 0
  fc.assert(
    fc.property(text, (characters) => {
      const fields = bytes(characters.join(''))
      if (makeDecodable(fields) !== undefined) return
      passed += 1
      expect(() => decodeFields(fields)).not.toThrow()
    }),
    { numRuns: 5_000 },
  )
  expect(passed).toBeGreaterThan(100)
})
