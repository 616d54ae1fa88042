import { describe, expect, it } from 'vitest'
import { encodeForm } from '../../../src/payload/form.ts'
import { UnprocessableError } from '../../../src/payload/unprocessable.ts'

/* What json_decode refuses, and what can be no form. None of it may take long, whatever its size. */

const encode = async (body: string | Buffer) => encodeForm(Buffer.from(body), ['daemonId', 'D-1'])

/** What the body is refused with. */
async function refusal(body: string | Buffer): Promise<string> {
  try {
    await encode(body)
  } catch (error) {
    expect(error).toBeInstanceOf(UnprocessableError)
    return (error as Error).message
  }
  return 'accepted'
}

const MEBIBYTE = 1024 * 1024

describe('refused, with the reason', () => {
  it.each([
    ['nothing', '', 'the body is empty'],
    ['white space', ' \n ', 'the body is not JSON: it ends too early'],
    ['a string', '"a"', 'the body is a JSON scalar; an object or an array is needed'],
    ['a number', '1', 'the body is a JSON scalar; an object or an array is needed'],
    ['true', 'true', 'the body is a JSON scalar; an object or an array is needed'],
    ['null', 'null', 'the body is a JSON scalar; an object or an array is needed'],
    ['text behind the value', '{} x', 'the body is not JSON: unexpected character at offset 3'],
    ['a second value', '{}{}', 'the body is not JSON: unexpected character at offset 2'],
    ['a NUL behind the value', '[]\0', 'the body is not JSON: unexpected character at offset 2'],
    ['an object that ends early', '{"a":1', 'the body is not JSON: it ends too early'],
    ['a string that ends early', '["a', 'the body is not JSON: it ends too early'],
    ['a string that ends with its escape', '["a\\', 'the body is not JSON: it ends too early'],
    [
      'an escape that JSON does not know',
      '["\\x41"]',
      'the body is not JSON: a string has an escape that JSON does not know',
    ],
    ['half an escape', '["\\u00"]', 'the body is not JSON: a string has an escape that JSON does not know'],
    ['half a surrogate pair', '["\\ud83d"]', 'a \\u escape in the JSON body is half of a surrogate pair'],
    [
      'half a surrogate pair in a key',
      '{"\\ude00":1}',
      'a \\u escape in the JSON body is half of a surrogate pair',
    ],
    [
      'a surrogate pair the wrong way round',
      '["\\ude00\\ud83d"]',
      'a \\u escape in the JSON body is half of a surrogate pair',
    ],
    ['512 levels', '['.repeat(512) + ']'.repeat(512), 'the JSON body nests deeper than 511 levels'],
    [
      '10,000 levels',
      `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
      'the JSON body nests deeper than 511 levels',
    ],
  ])('%s', async (_, body, reason) => {
    expect(await refusal(body)).toBe(reason)
  })

  it.each([
    ['a lone byte', [0x5b, 0x22, 0xff, 0x22, 0x5d]],
    ['an overlong slash', [0x5b, 0x22, 0xc0, 0xaf, 0x22, 0x5d]],
    ['an encoded surrogate', [0x5b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x5d]],
    ['a character cut short', [0x5b, 0x22, 0xe2, 0x82]],
    ['beyond U+10FFFF', [0x5b, 0x22, 0xf4, 0x90, 0x80, 0x80, 0x22, 0x5d]],
  ])('%s is not UTF-8', async (_, bytes) => {
    expect(await refusal(Buffer.from(bytes))).toBe('the body is not valid UTF-8')
  })

  it.each([
    "['a']",
    '{a:1}',
    '[1,]',
    '{"a":1,}',
    '[,1]',
    '[1 2]',
    '{"a" 1}',
    '{"a"}',
    '{1:2}',
    '[01]',
    '[+1]',
    '[.5]',
    '[1.]',
    '[1e]',
    '[-]',
    '[--1]',
    '[0x10]',
    '[1_000]',
    '[NaN]',
    '[Infinity]',
    '[-Infinity]',
    '[TRUE]',
    '[Null]',
    '[undefined]',
    '[truefalse]',
    '[1] // note',
    '/**/[1]',
    '["a\tb"]',
    '["a\nb"]',
    '["\0"]',
    '[\u00a01]',
    '[1\v]',
    ']',
    '}',
    '[}',
    '{]',
    ':',
    ',',
  ])('not JSON: %j', async (body) => {
    expect(await refusal(body)).toMatch(
      /^the body is not JSON: (unexpected character at offset \d+|it ends too early)$/,
    )
  })
})

describe('a small body that would become an endless form', () => {
  it('is refused: each of its values repeats a long path', async () => {
    const body = `${'{"":'.repeat(500)}[${'1,'.repeat(100_000)}1]${'}'.repeat(500)}`
    expect(await refusal(body)).toBe('the body becomes a form of more than 134217728 bytes')
  })

  it('is no matter when nothing of it is written', async () => {
    const longKey = 'k'.repeat(MEBIBYTE)
    expect((await encode(`{"${longKey}":[${'[],null,'.repeat(100_000)}null]}`)).toString()).toBe(
      'daemonId=D-1',
    )
  })
})

describe('a mebibyte takes no longer than its size', () => {
  // A quadratic reading of any of these would take minutes and meet the test's time limit.
  it.each([
    ['an opening bracket', '[', 'the JSON body nests deeper than 511 levels'],
    ['an opening brace', '{', 'the body is not JSON: unexpected character at offset 1'],
    ['a digit', '9', 'the body is a JSON scalar; an object or an array is needed'],
    ['a minus', '-', 'the body is not JSON: unexpected character at offset 0'],
    ['a backslash', '\\', 'the body is not JSON: unexpected character at offset 0'],
    ['a quote', '"', 'the body is not JSON: unexpected character at offset 2'],
    ['a space', ' ', 'the body is not JSON: it ends too early'],
    ['a NUL', '\0', 'the body is not JSON: unexpected character at offset 0'],
  ])('of %s', async (_, character, reason) => {
    expect(await refusal(character.repeat(MEBIBYTE))).toBe(reason)
  })

  it.each([
    ['digits in a list', `[${'9'.repeat(MEBIBYTE)}]`, '0=INF&daemonId=D-1'],
    ['decimals', `[0.${'9'.repeat(MEBIBYTE)}]`, '0=1&daemonId=D-1'],
    ['zeros behind the point', `[1.${'0'.repeat(MEBIBYTE)}]`, '0=1&daemonId=D-1'],
    ['exponent digits', `[1e-${'9'.repeat(MEBIBYTE)}]`, '0=0&daemonId=D-1'],
    ['keys that are all the same', `{${'"a":1,'.repeat(MEBIBYTE / 6)}"a":2}`, 'a=2&daemonId=D-1'],
    ['empty lists', `[${'[],'.repeat(MEBIBYTE / 3)}[]]`, 'daemonId=D-1'],
  ])('of %s', async (_, body, expected) => {
    expect((await encode(body)).toString()).toBe(expected)
  })

  it('of escaped backslashes', async () => {
    expect((await encode(`["${'\\\\'.repeat(MEBIBYTE / 2)}"]`)).length).toBe(
      '0=&daemonId=D-1'.length + (MEBIBYTE / 2) * 3,
    )
  })

  it('of members', async () => {
    const members = Array.from({ length: 100_000 }, (_, index) => `"k${index}":${index}`)
    const encoded = (await encode(`{${members.join(',')}}`)).toString()
    expect(encoded.split('&').slice(99_999)).toEqual(['k99999=99999', 'daemonId=D-1'])
  })
})
