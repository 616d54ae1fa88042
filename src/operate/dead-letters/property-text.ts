import type { MessageProperties } from '../../bridge/ports.ts'
import { objectIn } from './exact-json.ts'

/** What a property can be: a text, or a whole number up to this one. */
type Range = 'text' | number

/** Properties as the specification spells them. A time beyond 2^53 would be rounded. */
const PROPERTIES: readonly (readonly [name: string, property: keyof MessageProperties, is: Range])[] = [
  ['content_type', 'contentType', 'text'],
  ['content_encoding', 'contentEncoding', 'text'],
  ['delivery_mode', 'deliveryMode', 255],
  ['priority', 'priority', 255],
  ['correlation_id', 'correlationId', 'text'],
  ['reply_to', 'replyTo', 'text'],
  ['expiration', 'expiration', 'text'],
  ['message_id', 'messageId', 'text'],
  ['timestamp', 'timestamp', Number.MAX_SAFE_INTEGER],
  ['type', 'type', 'text'],
  ['user_id', 'userId', 'text'],
  ['app_id', 'appId', 'text'],
]

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
export function propertiesFromJson(json: unknown): Omit<MessageProperties, 'headers'> {
  const properties: Record<string, string | number> = {}
  for (const [name, value] of Object.entries(objectIn(json, 'properties'))) {
    const [, property, is] = PROPERTIES.find((row) => row[0] === name) ?? []
    if (property === undefined || is === undefined) throw new TypeError(`there is no property "${name}"`)
    const refusal = refusalOf(value, is)
    if (refusal !== undefined) throw new TypeError(`property "${name}" must be ${refusal}`)
    properties[property] = value as string | number
  }
  return properties
}

function refusalOf(value: unknown, is: Range): string | undefined {
  if (is !== 'text')
    return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= is
      ? undefined
      : `a whole number, ${is} at most`
  if (typeof value !== 'string' || !value.isWellFormed()) return 'a text, without halves of surrogate pairs'
  return Buffer.byteLength(value) > 255 ? 'of 255 bytes at most' : undefined
}
