import { describe, expect, it } from 'vitest'
import { formAtOnce } from '../../support/form-at-once.ts'

/*
 * What PHP 8 makes of `$d = json_decode($body, true); $d['daemonId'] = 'D-1'; http_build_query($d)`, byte for byte.
 * That these literals are PHP's is proved by test/integration/form.oracle.test.ts.
 */

const form = (body: string | Buffer) => formAtOnce(Buffer.from(body)).toString('latin1')
/** The form without the daemon's id at its end. */
const pairs = (body: string | Buffer) => form(body).replace(/&?daemonId=D-1$/, '')

describe('the daemon id', () => {
  it.each([
    ['comes last', '{"number":7}', 'number=7&daemonId=D-1'],
    ['is all there is in an empty object', '{}', 'daemonId=D-1'],
    ['joins a list', '["a","b"]', '0=a&1=b&daemonId=D-1'],
    ['replaces one that the message brings, in its place', '{"daemonId":"forged","b":1}', 'daemonId=D-1&b=1'],
    ['replaces a whole array', '{"daemonId":{"a":[1,2]},"b":1}', 'daemonId=D-1&b=1'],
    ['replaces null', '{"daemonId":null}', 'daemonId=D-1'],
    ['leaves nested ones alone', '{"a":{"daemonId":"x"}}', 'a%5BdaemonId%5D=x&daemonId=D-1'],
  ])('%s', (_, body, expected) => {
    expect(form(body)).toBe(expected)
  })

  it('is escaped like any value', () => {
    expect(formAtOnce(Buffer.from('{}'), ['daemonId', 'a&b=c d']).toString()).toBe('daemonId=a%26b%3Dc+d')
  })
})

describe('values', () => {
  it.each([
    ['null is left out', '{"a":null,"b":1}', 'b=1'],
    ['empty arrays and objects are left out', '{"a":[],"b":{},"c":[[],{}]}', ''],
    ['later list indexes keep their numbers', '[null,[],{},"x"]', '3=x'],
    ['true and false', '{"a":true,"b":false}', 'a=1&b=0'],
    ['the empty string', '{"a":""}', 'a='],
    ['what urlencode keeps', '["AZaz09-_."]', '0=AZaz09-_.'],
    ['a space is +', '["a b"]', '0=a+b'],
    [
      'all other ASCII is escaped',
      '["!\\"#$%&\'()*+,/:;<=>?@[\\\\]^`{|}~"]',
      '0=%21%22%23%24%25%26%27%28%29%2A%2B%2C%2F%3A%3B%3C%3D%3E%3F%40%5B%5C%5D%5E%60%7B%7C%7D%7E',
    ],
    ['control characters and DEL', '["\\u0000\\t\\r\\n\\u001f\u007f"]', '0=%00%09%0D%0A%1F%7F'],
    ['JSON escapes', '["\\b\\f\\n\\r\\t\\"\\\\\\/\\u0041"]', '0=%08%0C%0A%0D%09%22%5C%2FA'],
    ['UTF-8', '["ä€😀"]', '0=%C3%A4%E2%82%AC%F0%9F%98%80'],
    ['a surrogate pair', '["\\uD83D\\uDE00"]', '0=%F0%9F%98%80'],
    ['the line separators that JSON allows', '["\u2028\u2029"]', '0=%E2%80%A8%E2%80%A9'],
    ['a byte order mark inside a string', '["\ufeff"]', '0=%EF%BB%BF'],
    ['U+FFFE, U+FFFF and U+10FFFF', '["\\ufffe\\uffff\\udbff\\udfff"]', '0=%EF%BF%BE%EF%BF%BF%F4%8F%BF%BF'],
    ['an escape is not read twice', '["%41\\\\u0041"]', '0=%2541%5Cu0041'],
  ])('%s', (_, body, expected) => {
    expect(pairs(body)).toBe(expected)
  })
})

describe('keys', () => {
  it.each([
    ['are escaped', '{"a b":1,"ä":2,"*~":3}', 'a+b=1&%C3%A4=2&%2A%7E=3'],
    ['nest in brackets', '{"a":{"b":["",{"c":1}]}}', 'a%5Bb%5D%5B0%5D=&a%5Bb%5D%5B1%5D%5Bc%5D=1'],
    ['may be empty, at the top', '{"":1}', '=1'],
    ['may be empty, nested', '{"w":{"":1},"":{"":2}}', 'w%5B%5D=1&%5B%5D=2'],
    [
      'keep document order even when they look like integers',
      '{"b":1,"2":2,"1":3,"-1":4,"01":5}',
      'b=1&2=2&1=3&-1=4&01=5',
    ],
    ['that come twice: the last value at the first position', '{"a":1,"b":2,"a":3}', 'a=3&b=2'],
    [
      'that come twice: an array is replaced, not merged',
      '{"a":{"x":1},"b":2,"a":{"y":3}}',
      'a%5By%5D=3&b=2',
    ],
    ['that come twice: null takes the earlier value away', '{"a":1,"a":null}', ''],
    ['that come twice, spelled differently', '{"a":1,"\\u0061":2}', 'a=2'],
    [
      'are distinct in case and in Unicode form',
      '{"a":1,"A":2,"\u00e9":3,"e\u0301":4}',
      'a=1&A=2&%C3%A9=3&e%CC%81=4',
    ],
    [
      'of JavaScript mean nothing',
      '{"__proto__":{"a":1},"constructor":2,"toString":3,"hasOwnProperty":4,"length":5}',
      '__proto__%5Ba%5D=1&constructor=2&toString=3&hasOwnProperty=4&length=5',
    ],
    ['of JavaScript are keys even when they come alone', '{"__proto__":"x"}', '__proto__=x'],
    [
      'that come twice, in each other',
      '{"a":{"x":1,"y":2,"x":3},"b":4,"c":5,"a":{"x":6,"y":7,"x":{"z":8,"z":9}}}',
      'a%5Bx%5D%5Bz%5D=9&a%5By%5D=7&b=4&c=5',
    ],
    ['that come twice: null first', '{"a":null,"b":{"c":1},"a":2,"b":3}', 'a=2&b=3'],
    ['with brackets of their own', '{"a[b]":1,"a]":2}', 'a%5Bb%5D=1&a%5D=2'],
    ['with a NUL', '{"\\u0000a":1}', '%00a=1'],
    ['beyond int64', '{"9223372036854775808":1}', '9223372036854775808=1'],
  ])('%s', (_, body, expected) => {
    expect(pairs(body)).toBe(expected)
  })
})

describe('an object of a hundred members', () => {
  it('has the last value of each key in the first place', () => {
    const members = (value: string) =>
      Array.from({ length: 100 }, (_, index) => `"key${index}":"${value}"`).join()
    const expected = Array.from({ length: 100 }, (_, index) => `key${index}=second`).join('&')
    expect(pairs(`{${members('first')},${members('second')}}`)).toBe(expected)
  })
})

describe('numbers', () => {
  it('are written where they stand', () => {
    expect(pairs('{"a":[1,-2,3.50],"b":1e3}')).toBe('a%5B0%5D=1&a%5B1%5D=-2&a%5B2%5D=3.5&b=1000')
  })
})

describe('white space', () => {
  it('is skipped wherever JSON allows it', () => {
    expect(pairs('\t\r\n {\n"a"\t:\r[ 1 , 2 ] , "b" : { } } \n')).toBe('a%5B0%5D=1&a%5B1%5D=2')
  })
})

describe('nesting', () => {
  const nested = (levels: number, inside: string) => '['.repeat(levels) + inside + ']'.repeat(levels)

  it('goes down 511 levels, as in PHP', () => {
    expect(pairs(nested(511, '1'))).toBe(`0${'%5B0%5D'.repeat(510)}=1`)
    expect(pairs(nested(511, ''))).toBe('')
  })

  it('of objects goes equally deep', () => {
    expect(pairs(`${'{"a":'.repeat(511)}1${'}'.repeat(511)}`)).toBe(`a${'%5Ba%5D'.repeat(510)}=1`)
  })
})
