import type { HeaderField } from '../../bridge/ports.ts'
import { bytesOfBase64, bytesOfText, type Json } from './exact-json.ts'
import { type Kind, SCALARS } from './header-scalars.ts'

/*
 * Header fields as JSON and back, byte for byte: `[name, type, value]`, the type being AMQP's letter. What JSON has no words for (a text that
 * is not UTF-8, a float that is no number, a type that nobody knows) is `{"base64": ...}`.
 */

type Raw = { readonly base64: string }

/** Deeper tables stay bytes. */
const MAX_DEPTH = 50

const KINDS: Readonly<Record<string, Kind>> = {
  ...SCALARS,
  F: {
    toJson: (bytes, depth) => [...fieldsIn(bytes)].map((field) => triple(field, depth)),
    toBytes: (json, depth) => tableOf(json, depth),
  },
  A: {
    toJson: (bytes, depth) => [...valuesIn(bytes)].map((value) => pair(value, depth)),
    toBytes: (json, depth) => Buffer.concat(listIn(json).map((each) => encode(listIn(each), depth))),
  },
}

/** @param fields as they came: their values are bytes, the type before them */
export function fieldsToJson(fields: readonly HeaderField[]): readonly Json[] {
  return fields.map(([name, value]) =>
    triple([Buffer.from(name, 'latin1'), Buffer.from(value as Uint8Array)], 1),
  )
}

/** @throws {TypeError} which says what is wrong with which of them */
export function fieldsFromJson(json: Json): readonly HeaderField[] {
  return listIn(json).map((field) => {
    const [name, ...rest] = listIn(field)
    const bytes = nameOf(name)
    try {
      return [bytes.toString('latin1'), encode(rest, 1)]
    } catch (error) {
      throw new TypeError(`header ${JSON.stringify(name)} ${(error as Error).message}`, { cause: error })
    }
  })
}

function triple([name, value]: readonly [Buffer, Buffer], depth: number): Json {
  const text = name.toString()
  return [Buffer.from(text).equals(name) ? text : raw(name), ...pair(value, depth)]
}

/** Type and value, such that it becomes the same bytes again. */
function pair(bytes: Buffer, depth: number): readonly Json[] {
  const type = bytes.toString('latin1', 0, 1)
  const kind = KINDS[type]
  const payload = bytes.subarray(kind?.size === undefined ? 5 : 1)
  if (kind === undefined) return [type, raw(bytes.subarray(1))]
  try {
    const json = depth > MAX_DEPTH ? raw(payload) : kind.toJson(payload, depth + 1)
    if (JSON.stringify(json) === 'null' ? type === 'V' : encode([type, json], depth).equals(bytes))
      return [type, json]
  } catch {
    // Then it is bytes.
  }
  return [type, raw(payload)]
}

/** @param given type and value */
function encode(given: readonly Json[], depth: number): Buffer {
  const [type, json] = given
  if (given.length !== 2 || typeof type !== 'string' || json === undefined)
    throw new TypeError('must be [name, type, value]')
  const kind = KINDS[type]
  if (kind === undefined) throw new TypeError(`has the unknown type ${JSON.stringify(type)}`)
  const payload = isRaw(json) ? bytesOfBase64(json.base64) : payloadOf(kind, json, depth)
  const head = Buffer.alloc(kind.size === undefined ? 5 : 1)
  head.write(type, 'latin1')
  if (kind.size === undefined) head.writeUInt32BE(payload.length, 1)
  else if (payload.length !== kind.size) throw new TypeError(`must have ${kind.size} bytes`)
  return Buffer.concat([head, payload])
}

function payloadOf(kind: Kind, json: Json, depth: number): Buffer {
  if (depth > MAX_DEPTH) throw new TypeError(`must not be nested more than ${MAX_DEPTH} deep`)
  return kind.toBytes(json, depth + 1)
}

function tableOf(json: Json, depth: number): Buffer {
  return Buffer.concat(
    listIn(json).flatMap((field) => {
      const [name, ...rest] = listIn(field)
      const bytes = nameOf(name)
      return [Buffer.from([bytes.length]), bytes, encode(rest, depth)]
    }),
  )
}

function nameOf(json: Json | undefined): Buffer {
  const bytes =
    typeof json === 'string' ? bytesOfText(json) : isRaw(json) ? bytesOfBase64(json.base64) : undefined
  if (bytes === undefined || bytes.length > 255)
    throw new TypeError('a header must be [name, type, value], its name of 255 bytes at most')
  return bytes
}

function listIn(json: Json | undefined): readonly Json[] {
  if (!Array.isArray(json)) throw new TypeError('must be a list: [name, type, value] for each header')
  return json
}

function raw(bytes: Buffer): Raw {
  return { base64: bytes.toString('base64') }
}

function isRaw(json: Json | undefined): json is Raw {
  return (
    typeof json === 'object' &&
    json !== null &&
    typeof (json as Partial<Raw>).base64 === 'string' &&
    Object.keys(json).length === 1
  )
}

function* fieldsIn(table: Buffer): Generator<readonly [Buffer, Buffer]> {
  for (let at = 0; at < table.length; ) {
    const type = at + 1 + (table[at] as number)
    const end = endOf(table, type)
    yield [table.subarray(at + 1, type), table.subarray(type, end)]
    at = end
  }
}

function* valuesIn(list: Buffer): Generator<Buffer> {
  for (let at = 0; at < list.length; ) {
    const end = endOf(list, at)
    yield list.subarray(at, end)
    at = end
  }
}

/** @throws where it is cut off, or of a type that nobody knows */
function endOf(bytes: Buffer, type: number): number {
  const kind = KINDS[bytes.toString('latin1', type, type + 1)]
  if (kind === undefined) throw new TypeError('has an unknown type')
  const end = type + 1 + (kind.size ?? 4 + bytes.readUInt32BE(type + 1))
  if (end > bytes.length) throw new TypeError('is cut off')
  return end
}
