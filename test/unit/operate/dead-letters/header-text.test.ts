import fc from 'fast-check'
import { expect, it } from 'vitest'
import { encodeFields, splitFields } from '../../../../src/amqp/header-fields.ts'
import type { Json } from '../../../../src/operate/dead-letters/exact-json.ts'
import { fieldsFromJson, fieldsToJson } from '../../../../src/operate/dead-letters/header-text.ts'
import { headerTables } from '../../../support/header-tables.ts'

/** A list in a list, and so on. */
function nested(depth: number): Json[] {
  let json: Json[] = ['A', []]
  for (let level = 1; level < depth; level += 1) json = ['A', [json]]
  return json
}

const throughText = (json: readonly Json[]): Json => JSON.parse(JSON.stringify(json)) as Json

it('has header tables of every type as JSON, and back byte for byte', () => {
  fc.assert(
    fc.property(headerTables, (table) => {
      const again = fieldsFromJson(throughText(fieldsToJson(splitFields(table))))
      expect(encodeFields(again).subarray(4)).toEqual(table)
    }),
    { numRuns: 300 },
  )
})

it.each([
  ['a 64-bit integer', 'l\x7f\xff\xff\xff\xff\xff\xff\xff', ['l', '9223372036854775807']],
  ['a small one', 'l\0\0\0\0\0\0\0\x07', ['l', 7]],
  ['a time', 'T\0\0\0\0\x65\0\0\0', ['T', 1_694_498_816]],
  ['a decimal', 'D\x02\0\0\x04\xd2', ['D', { places: 2, digits: 1234 }]],
  ['bytes', 'x\0\0\0\x02\xff\0', ['x', { base64: '/wA=' }]],
  ['a text that is no UTF-8', 'S\0\0\0\x01\xff', ['S', { base64: '/w==' }]],
  ['a double that is no number', 'd\x7f\xf8\0\0\0\0\0\x01', ['d', { base64: 'f/gAAAAAAAE=' }]],
  ['minus zero', 'd\x80\0\0\0\0\0\0\0', ['d', { base64: 'gAAAAAAAAAA=' }]],
  ['a table', 'F\0\0\0\x04\x01at\x01', ['F', [['a', 't', true]]]],
  [
    'a list',
    'A\0\0\0\x03t\0V',
    [
      'A',
      [
        ['t', false],
        ['V', null],
      ],
    ],
  ],
])('writes %s', (_, bytes, expected) => {
  const value = Buffer.from(bytes, 'latin1')
  const json = fieldsToJson([['h', value]])
  expect(json).toEqual([['h', ...expected]])
  expect(fieldsFromJson(throughText(json))).toEqual([['h', value]])
})

it.each([
  [[['h', 'I', 2 ** 31]], 'header "h" must fit into 32 bits'],
  [[['h', 'Q', 1]], 'header "h" has the unknown type "Q"'],
  [[['h', 'S', 1]], 'header "h" must be a text'],
  [[[7, 'S', 'x']], 'its name'],
  [{ h: 'x' }, 'must be a list'],
  [[['h', 'S', 'x', 'y']], 'must be [name, type, value]'],
  [[['h', 'S']], 'must be [name, type, value]'],
  [[['h', 7, 'x']], 'must be [name, type, value]'],
  [[['h', 'V', 7]], 'must be null'],
  [[['h', 't', 'false']], 'must be true or false'],
  [[['h', 't', 0]], 'must be true or false'],
  [[['h', 'x', 'text']], 'must be {"base64": "..."}'],
  [[['h', 'x', { base64: 'AA' }]], 'must be base64'],
  [[['h', 'x', { base64: 'A-==' }]], 'must be base64'],
  [[['h', 'x', { base64: 'AA==', more: 1 }]], 'must be {"base64": "..."}'],
  [[[{ base64: 'x' }, 'S', 'x']], 'must be base64'],
  [[['h', 'l', [5]]], 'must be an integer'],
  [[['h', 'l', 1.5]], 'must be an integer'],
  [[['h', 'l', '']], 'must be an integer'],
  [[['h', 'l', JSON.parse('9007199254740993')]], 'must be in quotes: it is beyond 2^53'],
  [[['h', 'T', 2 ** 53]], 'must be in quotes'],
  [[['h', 'T', -1]], 'must fit into 64 bits'],
  [[['h', 'F', [['n', 'L', 2 ** 60]]]], 'must be in quotes'],
  [[['h', 'A', [['l', 2 ** 60]]]], 'must be in quotes'],
  [[['h', 'A', [['t', 'true']]]], 'must be true or false'],
  [[['h', 'F', [['n', 't']]]], 'must be [name, type, value]'],
  [[['h', 'D', { places: 2 }]], 'must be an integer'],
  [[['h', 'D', [2, 1234]]], 'must be a JSON object'],
  [[['h', 'D', { places: 2, digits: 2 ** 33 }]], 'must fit into 32 bits'],
  [[['h', 'D', { places: 2, digits: 1, more: 1 }]], 'nothing else'],
  [[['h', 'f', 1e39]], 'must fit into 32 bits'],
  [[['h', 'd', JSON.parse('1e999')]], 'must fit into 64 bits'],
  [[['h', 'S', '\ud800']], 'surrogate'],
  [[['\ud800', 'S', '']], 'surrogate'],
  [[['h', ...nested(100_000)]], 'must not be nested more than 50 deep'],
])('refuses %#', (json, complaint) => {
  expect(() => fieldsFromJson(json as Json)).toThrow(complaint)
})
