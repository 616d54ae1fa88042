import { expect, it } from 'vitest'
import type { Delivery } from '../../../../src/bridge/ports.ts'
import { letterOf } from '../../../../src/operate/dead-letters/letter.ts'
import { contentOfLine, lineOf, TooLarge } from '../../../../src/operate/dead-letters/letter-text.ts'

const of = (body: Buffer, properties: Delivery['properties'] = {}): Delivery =>
  ({ properties, body, exchange: '', routingKey: 'q', headerFields: () => [] }) as unknown as Delivery

const MIB = 1024 * 1024

it.each([
  ['text', Buffer.from('{"a":"\u0000\\n ü \u2028"}'), '"body"'],
  ['bytes', Buffer.from([255]), '"body_base64"'],
  ['control characters', Buffer.from('a\u001b[1m'), '"body_base64"'],
  ['many zero bytes', Buffer.alloc(MIB), '"body_base64"'],
])('has a body of %s in a line, and back', (_, body, member) => {
  const delivery = of(body)
  const line = lineOf(letterOf(delivery), delivery)
  expect(line).toContain(`${member}:`)
  expect(contentOfLine(Buffer.from(line)).body.equals(body)).toBe(true)
})

it('names a letter whose body is too large for a line', () => {
  const letter = letterOf(of(Buffer.alloc(0)))
  expect(() => lineOf(letter, of(Buffer.alloc(400 * MIB)))).toThrow(TooLarge)
  expect(() => lineOf(letter, of(Buffer.alloc(400 * MIB)))).toThrow(letter.id)
})

it.each([
  ['{"body":"\\ud800"}', '"body" must be a text without halves'],
  ['{"body_base64":"AAA"}', '"body_base64" must be base64'],
  ['{"body":"","body_base64":""}', 'it must have'],
  ['{}', 'it must have'],
  ['{"body":7}', '"body" must be a text'],
  [Buffer.from('7b22626f6479223a22ff227d', 'hex'), 'no UTF-8'],
])('refuses the line %s', (line, complaint) => {
  expect(() => contentOfLine(Buffer.from(line as string))).toThrow(complaint)
})

it('has another id for each property, and the same for what is alike', () => {
  const idOf = (properties: Delivery['properties']) => letterOf(of(Buffer.from('x'), properties)).id
  const ids = [
    {},
    { correlationId: '1' },
    { correlationId: '2' },
    { replyTo: '1' },
    { messageId: '1' },
    { priority: 1 },
    { timestamp: 1 },
  ].map(idOf)
  expect(new Set(ids).size).toBe(ids.length)
  expect(idOf({ correlationId: '1', replyTo: '2' })).toBe(idOf({ replyTo: '2', correlationId: '1' }))
})
