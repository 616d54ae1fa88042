import type { Delivery, HeaderField, MessageProperties, OutgoingMessage } from '../../bridge/ports.ts'
import { fieldsFromJson, fieldsToJson, type Json } from './header-text.ts'
import { type DeadLetter, ownFields } from './letter.ts'

/** What a letter is made of. */
export type Content = Pick<OutgoingMessage, 'properties' | 'headers' | 'body'>

/** Properties as the specification spells them. */
const PROPERTIES: readonly (readonly [
  name: string,
  property: keyof MessageProperties,
  is: 'string' | 'number',
])[] = [
  ['content_type', 'contentType', 'string'],
  ['content_encoding', 'contentEncoding', 'string'],
  ['delivery_mode', 'deliveryMode', 'number'],
  ['priority', 'priority', 'number'],
  ['correlation_id', 'correlationId', 'string'],
  ['reply_to', 'replyTo', 'string'],
  ['expiration', 'expiration', 'string'],
  ['message_id', 'messageId', 'string'],
  ['timestamp', 'timestamp', 'number'],
  ['type', 'type', 'string'],
  ['user_id', 'userId', 'string'],
  ['app_id', 'appId', 'string'],
]

export function contentIn(delivery: Delivery): Content {
  const { headers: _, ...properties } = delivery.properties
  return { properties, headers: ownFields(delivery), body: delivery.body }
}

/** Those that are set. */
export function propertiesToJson(properties: MessageProperties): Record<string, string | number> {
  const json: Record<string, string | number> = {}
  for (const [name, property] of PROPERTIES) {
    const value = properties[property]
    if (typeof value === 'string' || typeof value === 'number') json[name] = value
  }
  return json
}

/** @throws {TypeError} */
export function propertiesFromJson(json: unknown): Content['properties'] {
  const properties: Record<string, string | number> = {}
  for (const [name, value] of Object.entries(objectIn(json, 'properties'))) {
    const [, property, is] = PROPERTIES.find((row) => row[0] === name) ?? []
    if (property === undefined || is === undefined) throw new TypeError(`there is no property "${name}"`)
    if (typeof value !== is) throw new TypeError(`property "${name}" must be a ${is}`)
    if (typeof value === 'string' && Buffer.byteLength(value) > 255)
      throw new TypeError(`property "${name}" must have 255 bytes at most`)
    if (typeof value === 'number' && !(Number.isSafeInteger(value) && value >= 0))
      throw new TypeError(`property "${name}" must be a whole number`)
    properties[property] = value as string | number
  }
  return properties
}

/** A line of an export, without its end: all there is to have it once more. */
export function lineOf(letter: DeadLetter, delivery: Delivery): string {
  const { properties, headers, body } = contentIn(delivery)
  const { exchange, routingKey } = delivery
  return JSON.stringify({
    id: letter.id,
    exchange,
    routing_key: routingKey,
    properties: propertiesToJson(properties),
    headers: fieldsToJson(headers),
    ...bodyToJson(body),
  })
}

/** @throws {TypeError} or {SyntaxError} which say what is wrong with it */
export function contentOfLine(line: string): Content {
  const json = objectIn(JSON.parse(line), 'the line')
  return {
    properties: propertiesFromJson(json['properties'] ?? {}),
    headers: headersFromJson(json['headers'] ?? []),
    body: bodyFromJson(json),
  }
}

export function headersFromJson(json: unknown): readonly HeaderField[] {
  return fieldsFromJson(json as Json)
}

/** As text where it is UTF-8. */
export function bodyToJson(body: Buffer): { readonly body: string } | { readonly body_base64: string } {
  const text = body.toString()
  return Buffer.from(text).equals(body) ? { body: text } : { body_base64: body.toString('base64') }
}

function bodyFromJson({ body, body_base64: base64 }: Readonly<Record<string, unknown>>): Buffer {
  if (typeof body === 'string' && base64 === undefined) return Buffer.from(body)
  if (typeof base64 === 'string' && body === undefined && /^[A-Za-z0-9+/]*={0,2}$/.test(base64))
    return Buffer.from(base64, 'base64')
  throw new TypeError('it must have a text as "body", or bytes as "body_base64"')
}

function objectIn(json: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof json === 'object' && json !== null && !Array.isArray(json))
    return json as Record<string, unknown>
  throw new TypeError(`${what} must be a JSON object`)
}
