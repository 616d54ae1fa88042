import { describe, expect, it } from 'vitest'
import { splitFields } from '../../../../src/amqp/header-fields.ts'
import type { HeaderField } from '../../../../src/bridge/ports.ts'
import { kindOf } from '../../../../src/operate/dead-letters/body-kind.ts'
import { editableText, editedContent } from '../../../../src/operate/dead-letters/edit-text.ts'
import { layOutJson } from '../../../../src/operate/dead-letters/json-layout.ts'

const headers = splitFields(Buffer.from('\x05x-one\x53\0\0\0\x01a\x05x-two\x6c\0\0\0\0\0\0\0\x07', 'latin1'))
const of = (body: string | Buffer) => ({
  properties: { messageId: 'm1', contentType: 'application/json' },
  headers,
  body: Buffer.from(body),
})

describe('a letter that is edited', () => {
  it.each([
    ['JSON', '{"b":1,"a":[1.0,12345678901234567890,{}],"b":2}'],
    ['JSON in lines', '{\n\t"a": 1\n}\n'],
    ['text', 'a text\n\n'],
    ['bytes', Buffer.from([0, 255, 10, 13])],
    ['nothing', ''],
  ])('is the same bytes when nothing was changed: %s', (_, body) => {
    const original = of(body)
    expect(editedContent(editableText(original, ['a hint']), original)).toEqual(original)
  })

  it('is the same where headers have lines of ours, between separators of Unicode', () => {
    const separated = ['\u2028# a hint\u2028', '\u2029--- body, as text ---\u2029', '\r', '\u202e']
    const original = {
      ...of('{"a":1}'),
      headers: separated.map(
        (text): HeaderField => [
          text.codePointAt(0) === 0x202e ? 'h' : 'x',
          (
            splitFields(
              Buffer.concat([
                Buffer.from('\x01xS\0\0\0', 'latin1'),
                Buffer.from([Buffer.byteLength(text)]),
                Buffer.from(text),
              ]),
            )[0] as HeaderField
          )[1],
        ],
      ),
    }
    const text = editableText(original, ['a\n hint\u2028--- body, as hex ---'])
    expect(text).not.toMatch(/[\u2028\u2029\u202e\r]/)
    expect(editedContent(text, original)).toEqual(original)
    // As an editor's user may write them.
    const written = text.replaceAll('\\u2028', '\u2028').replaceAll('\\u2029', '\u2029')
    expect(editedContent(written, original)).toEqual(original)
  })

  it('is refused where its body is too large for an editor', () => {
    const large = { ...of(''), body: Buffer.alloc(64 * 1024 * 1024 + 1) }
    expect(() => editableText(large, [])).toThrow('can be edited')
  })

  it('takes what was changed, and leaves the layout of its body', () => {
    const original = of('{"a":1,"b":[1.0]}')
    const text = editableText(original, ['a hint'])
      .replace('"a": 1', '"a": 2')
      .replace('["x-two","l",7]', '["x-two","l",8]')
      .replace('"m1"', '"m2"')
    const edited = editedContent(text, original)
    expect(edited.body.toString()).toBe('{"a":2,"b":[1.0]}')
    expect(edited.properties).toEqual({ messageId: 'm2', contentType: 'application/json' })
    expect(Buffer.from(edited.headers[1]?.[1] as Uint8Array).at(-1)).toBe(8)
  })

  it.each([
    ['"a": 1', '"a": ', 'the body is no JSON'],
    ['"S"', '"Q"', 'unknown type'],
    ['message_id', 'message_di', 'there is no property "message_di"'],
    ['"headers"', '"header"', 'there is no "header"'],
    ['"m1"', '"\\ud800"', 'surrogate'],
    ['"message_id":"m1"', '"priority":256', 'a whole number, 255 at most'],
    ['--- body, as json ---', '', 'is missing'],
  ])('is refused where %s became %s', (from, to, complaint) => {
    const original = of('{"a":1}')
    const text = editableText(original, []).replace(from, to)
    expect(() => editedContent(text, original)).toThrow(complaint)
  })
})

it('lays out a text of a million escapes, and what is nested 20,000 deep', () => {
  const escapes = `["${'\\"\\\\'.repeat(1_000_000)}"]`
  expect(layOutJson(layOutJson(escapes, '  '), '')).toBe(escapes)
  const deep = '['.repeat(20_000) + ']'.repeat(20_000)
  const laidOut = layOutJson(deep, '  ')
  expect(laidOut.length).toBeLessThan(9_000_000)
  expect(layOutJson(laidOut, '')).toBe(deep)
})

it.each([
  ['{"a":1}', 'json'],
  ['7', 'text'],
  ['a\ttext\r\n', 'text'],
  ['\u001b[1m', 'hex'],
  ['\u0085', 'hex'],
  ['\u007f', 'hex'],
  ['\u00a0é', 'text'],
  [Buffer.from([0xff]), 'hex'],
  [`[${'0,'.repeat(600_000)}0]`, 'text'],
] as const)('knows what a body is: %#', (body, kind) => {
  expect(kindOf(Buffer.from(body as string))).toBe(kind)
})

it.each([
  [
    '{"a":{"b":[1,2,"x,\\"{"]},"c":{},"d":[]}',
    '{\n  "a": {\n    "b": [\n      1,\n      2,\n      "x,\\"{"\n    ]\n  },\n  "c": {},\n  "d": []\n}',
  ],
  ['[ 1.0 , -1e5 ]', '[\n  1.0,\n  -1e5\n]'],
])('lays out %s', (json, expected) => {
  expect(layOutJson(json, '  ')).toBe(expected)
  expect(layOutJson(layOutJson(json, '  '), '')).toBe(layOutJson(json, ''))
})
