import { describe, expect, it } from 'vitest'
import { splitFields } from '../../../../src/amqp/header-fields.ts'
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
    ['--- body, as json ---', '', 'is missing'],
  ])('is refused where %s became %s', (from, to, complaint) => {
    const original = of('{"a":1}')
    const text = editableText(original, []).replace(from, to)
    expect(() => editedContent(text, original)).toThrow(complaint)
  })
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
