import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeTable } from '../../../src/amqp/field-table.ts'
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

describe('is decoded as amqplib does it', () => {
  it.each(VALUES)('%j', (value) => {
    const fields = bytes(`\x01a${value}\x01zt\0`)
    expect(decodeTable(fields)).toEqual(decodeFields(fields))
  })

  it('no fields at all', () => {
    expect(decodeTable(Buffer.alloc(0))).toEqual({})
  })

  it('whatever it is, but for what amqplib makes ambiguous or does not know', () => {
    const likely = fc.constantFrom(...'\0\x01\x02SFAxIbtds')
    const text = fc.array(fc.oneof(likely, fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 1 })))
    let decoded = 0
    fc.assert(
      fc.property(text, (characters) => {
        const fields = bytes(characters.join('').replace(/[!LlT_]/g, ' '))
        let ours: object
        try {
          ours = decodeTable(fields)
        } catch {
          return
        }
        decoded += 1
        expect(ours).toEqual(decodeFields(fields))
      }),
      { numRuns: 5_000 },
    )
    expect(decoded).toBeGreaterThan(100)
  })
})

describe('is decoded better than amqplib does it', () => {
  it.each<[string, string, unknown]>([
    ['the largest signed integer', 'l\x7f\xff\xff\xff\xff\xff\xff\xff', 2n ** 63n - 1n],
    ['an unsigned integer', 'L\0\0\0\x01\0\0\0\x02', 2 ** 32 + 2],
    ['the largest unsigned integer', 'L\xff\xff\xff\xff\xff\xff\xff\xff', 2n ** 64n - 1n],
    ['a table of a type', `F\0\0\0\x0d\x01!S\0\0\0\x06double`, { '!': 'table', value: { '!': 'double' } }],
  ])('%s', (_, value, expected) => {
    expect(decodeTable(bytes(`\x01a${value}`))).toEqual({ a: expected })
  })

  it('a field called __proto__', () => {
    const table = decodeTable(bytes('\x09__proto__S\0\0\0\x01x'))
    expect(Object.entries(table)).toEqual([['__proto__', 'x']])
    expect(Object.getPrototypeOf(table)).toBe(Object.prototype)
  })

  it('the table of a message, in which ! is a name like any other', () => {
    expect(decodeTable(bytes('\x01!b\x07'))).toEqual({ '!': 7 })
  })

  it('the last of several fields of one name', () => {
    expect(decodeTable(bytes('\x01ab\x01\x01ab\x02'))).toEqual({ a: 2 })
  })
})

it.each(['A', 'F'] as const)('%s: 511 levels are decoded, 512 are refused', (type) => {
  expect(() => decodeTable(nestedFields(511, type))).not.toThrow()
  for (const levels of [512, 200_000]) {
    expect(() => decodeTable(nestedFields(levels, type))).toThrow('nests deeper than 511 levels')
  }
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
  expect(() => decodeTable(bytes(fields))).toThrow(reason)
})
