import { describe, expect, it } from 'vitest'
import { headersToJson } from '../../../src/payload/header-json.ts'

describe('a header table as JSON', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['no field', {}, '{}'],
    ['strings', { a: 'x', b: '' }, '{"a":"x","b":""}'],
    ['what JSON escapes', { 'a"': '\0\r\n"\\\u2028' }, '{"a\\"":"\\u0000\\r\\n\\"\\\\\u2028"}'],
    ['integers and booleans', { a: -7, b: true, c: false }, '{"a":-7,"b":true,"c":false}'],
    ['floats', { a: 1.5, b: 1e-7, c: 1e300 }, '{"a":1.5,"b":1e-7,"c":1e+300}'],
    ['minus zero, which only a float has', { a: -0 }, '{"a":-0.0}'],
    ['void', { a: null }, '{"a":null}'],
    ['what is not there', { a: undefined, b: 1 }, '{"b":1}'],
    ['arrays and tables in each other', { a: [1, [], {}, [{ b: 'x' }]] }, '{"a":[1,[],{},[{"b":"x"}]]}'],
    ['integer-like names', { 2: 'b', 1: 'a' }, '{"1":"a","2":"b"}'],
    ['a byte array', { a: Buffer.from([0, 255, 104]) }, '{"a":{"!":"base64","value":"AP9o"}}'],
    ['an empty byte array', { a: [Buffer.alloc(0)] }, '{"a":[{"!":"base64","value":""}]}'],
    ['a timestamp', { a: { '!': 'timestamp', value: 1 } }, '{"a":{"!":"timestamp","value":1}}'],
    [
      'a decimal',
      { a: { '!': 'decimal', value: { places: 2, digits: 199 } } },
      '{"a":{"!":"decimal","value":{"places":2,"digits":199}}}',
    ],
    [
      'floats that are no numbers',
      { a: Number.NaN, b: [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] },
      '{"a":{"!":"float","value":"NaN"},"b":[{"!":"float","value":"Infinity"},{"!":"float","value":"-Infinity"}]}',
    ],
    ['names that JavaScript knows', { hasOwnProperty: 1, toJSON: 'x' }, '{"hasOwnProperty":1,"toJSON":"x"}'],
  ])('%s', (_, headers, json) => {
    expect(headersToJson(headers)).toBe(json)
  })

  it('is not taken for what a field called __proto__ made of it', () => {
    // What amqplib's `fields[name] = value` does with that name.
    const fields = Object.setPrototypeOf({ a: 1 }, Buffer.from('hi'))
    expect(headersToJson({ fields })).toBe('{"fields":{"a":1}}')
  })

  it('that nests deeper than the stack is none', () => {
    let headers: Record<string, unknown> = {}
    for (let level = 0; level < 20_000; level += 1) headers = { a: headers }
    expect(headersToJson(headers)).toBe(undefined)
  })
})
