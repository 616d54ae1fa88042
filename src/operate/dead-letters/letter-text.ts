import { isUtf8 } from 'node:buffer'
import type { Delivery, HeaderField, OutgoingMessage } from '../../bridge/ports.ts'
import { controlsIn } from './body-kind.ts'
import { bytesOfBase64, bytesOfText, type Json, objectIn } from './exact-json.ts'
import { fieldsFromJson, fieldsToJson } from './header-text.ts'
import { type DeadLetter, ownFields } from './letter.ts'
import { propertiesFromJson, propertiesToJson } from './property-text.ts'

/** What a letter is made of. */
export type Content = Pick<OutgoingMessage, 'properties' | 'headers' | 'body'>

export function contentIn(delivery: Delivery): Content {
  const { headers: _, ...properties } = delivery.properties
  return { properties, headers: ownFields(delivery), body: delivery.body }
}

/** A line of an export, without its end: all there is to have it once more. @throws {TooLarge} */
export function lineOf(letter: DeadLetter, delivery: Delivery): string {
  const { properties, headers, body } = contentIn(delivery)
  const { exchange, routingKey } = delivery
  return JSON.stringify({
    id: letter.id,
    exchange,
    routing_key: routingKey,
    properties: propertiesToJson(properties),
    headers: fieldsToJson(headers),
    ...bodyToJson(letter, body),
  })
}

/** @throws {TypeError} or {SyntaxError} which say what is wrong with it */
export function contentOfLine(line: Buffer): Content {
  if (!isUtf8(line)) throw new TypeError('it is no UTF-8')
  const json = objectIn(JSON.parse(line.toString()), 'the line')
  return {
    properties: propertiesFromJson(json['properties'] ?? {}),
    headers: headersFromJson(json['headers'] ?? []),
    body: bodyFromJson(json),
  }
}

export function headersFromJson(json: unknown): readonly HeaderField[] {
  return fieldsFromJson(json as Json)
}

/** Bytes: of a body in a line, so that this is no longer than the texts of V8, 512 MiB, and of one that JSON may make three times as long. */
const MAX_BODY = 380 * 1024 * 1024
const MAX_TEXT = 128 * 1024 * 1024
/** JSON has six characters for one that is a control character. */
const MAX_CONTROLS = 1 / 8

/** A letter that cannot be written as JSON. */
export class TooLarge extends Error {}

/** As text where it is UTF-8, and mostly to be read. @throws {TooLarge} */
export function bodyToJson(
  { id }: DeadLetter,
  body: Buffer,
): { readonly body: string } | { readonly body_base64: string } {
  if (body.length > MAX_BODY)
    throw new TooLarge(`${id} has a body of ${body.length} bytes: JSON is written of ${MAX_BODY} at most`)
  const isText = body.length <= MAX_TEXT && isUtf8(body) && controlsIn(body) <= body.length * MAX_CONTROLS
  return isText ? { body: body.toString() } : { body_base64: body.toString('base64') }
}

function bodyFromJson({ body, body_base64: base64 }: Readonly<Record<string, unknown>>): Buffer {
  if ((body === undefined) === (base64 === undefined))
    throw new TypeError('it must have a text as "body", or bytes as "body_base64"')
  if (typeof body === 'string') return named('body', () => bytesOfText(body))
  if (typeof base64 === 'string') return named('body_base64', () => bytesOfBase64(base64))
  throw new TypeError(`"${body === undefined ? 'body_base64' : 'body'}" must be a text`)
}

function named<T>(what: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new TypeError(`"${what}" ${(error as Error).message}`, { cause: error })
  }
}
