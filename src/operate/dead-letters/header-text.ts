import type { HeaderField } from '../../bridge/ports.ts'

/*
 * Header fields as JSON and back, byte for byte: `[name, type, value]`, the type being AMQP's letter. What JSON has no words for (a text that
 * is not UTF-8, a float that is no number, a type that nobody knows) is `{"base64": ...}`.
 */

/** A value as JSON has it. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

type Raw = { readonly base64: string }

/** Deeper tables stay bytes. */
const MAX_DEPTH = 50

interface Kind {
  /** Of its bytes, where that is fixed; otherwise four bytes before it say so. */
  readonly size?: number
  toJson(bytes: Buffer, depth: number): Json
  /** @throws {TypeError} whose message completes "header ... " */
  toBytes(json: Json): Buffer
}

const integer = (size: number, signed: boolean): Kind => ({
  size,
  toJson(bytes) {
    if (size < 8) return signed ? bytes.readIntBE(0, size) : bytes.readUIntBE(0, size)
    const value = signed ? bytes.readBigInt64BE() : bytes.readBigUInt64BE()
    return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  },
  toBytes(json) {
    if (!/^-?\d{1,20}$/.test(String(json))) throw new TypeError('must be an integer')
    const value = BigInt(json as string | number)
    const fits = signed ? BigInt.asIntN(size * 8, value) : BigInt.asUintN(size * 8, value)
    if (fits !== value) throw new TypeError(`must fit into ${size * 8} bits`)
    const bytes = Buffer.alloc(8)
    if (value < 0n) bytes.writeBigInt64BE(value)
    else bytes.writeBigUInt64BE(value)
    return bytes.subarray(8 - size)
  },
})

const float = (size: 4 | 8): Kind => ({
  size,
  toJson(bytes) {
    const value = size === 4 ? bytes.readFloatBE() : bytes.readDoubleBE()
    if (Object.is(value, -0)) throw new TypeError('has a sign that JSON.stringify leaves out')
    return value
  },
  toBytes(json) {
    if (typeof json !== 'number') throw new TypeError('must be a number')
    const bytes = Buffer.alloc(size)
    if (size === 4) bytes.writeFloatBE(json)
    else bytes.writeDoubleBE(json)
    return bytes
  },
})

const KINDS: Readonly<Record<string, Kind>> = {
  V: { size: 0, toJson: () => null, toBytes: () => Buffer.alloc(0) },
  t: { size: 1, toJson: ([byte]) => byte === 1, toBytes: (json) => Buffer.from([json === true ? 1 : 0]) },
  b: integer(1, true),
  B: integer(1, false),
  s: integer(2, true),
  u: integer(2, false),
  I: integer(4, true),
  i: integer(4, false),
  l: integer(8, true),
  L: integer(8, false),
  T: integer(8, false),
  f: float(4),
  d: float(8),
  D: {
    size: 5,
    toJson: (bytes) => ({ places: bytes.readUInt8(), digits: bytes.readUInt32BE(1) }),
    toBytes(json) {
      const { places, digits } = (json ?? {}) as { places?: Json; digits?: Json }
      return Buffer.concat([integer(1, false).toBytes(places ?? ''), integer(4, false).toBytes(digits ?? '')])
    },
  },
  S: {
    toJson: (bytes) => bytes.toString(),
    toBytes(json) {
      if (typeof json !== 'string') throw new TypeError('must be a text')
      return Buffer.from(json)
    },
  },
  x: { toJson: (bytes) => ({ base64: bytes.toString('base64') }), toBytes: () => Buffer.alloc(0) },
  F: {
    toJson: (bytes, depth) => [...fieldsIn(bytes)].map((field) => triple(field, depth)),
    toBytes: (json) => tableOf(json),
  },
  A: {
    toJson: (bytes, depth) => [...valuesIn(bytes)].map((value) => pair(value, depth)),
    toBytes: (json) => Buffer.concat(listIn(json).map((each) => encode(listIn(each)))),
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
      return [bytes.toString('latin1'), encode(rest)]
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
    if (JSON.stringify(json) === 'null' ? type === 'V' : encode([type, json]).equals(bytes))
      return [type, json]
  } catch {
    // Then it is bytes.
  }
  return [type, raw(payload)]
}

function encode([type, json = null]: readonly Json[]): Buffer {
  const kind = typeof type === 'string' ? KINDS[type] : undefined
  if (kind === undefined) throw new TypeError(`has the unknown type ${JSON.stringify(type)}`)
  const payload = isRaw(json) ? Buffer.from(json.base64, 'base64') : kind.toBytes(json)
  const head = Buffer.alloc(kind.size === undefined ? 5 : 1)
  head.write(type as string, 'latin1')
  if (kind.size === undefined) head.writeUInt32BE(payload.length, 1)
  else if (payload.length !== kind.size) throw new TypeError(`must have ${kind.size} bytes`)
  return Buffer.concat([head, payload])
}

function tableOf(json: Json): Buffer {
  return Buffer.concat(
    listIn(json).flatMap((field) => {
      const [name, ...rest] = listIn(field)
      const bytes = nameOf(name)
      return [Buffer.from([bytes.length]), bytes, encode(rest)]
    }),
  )
}

function nameOf(json: Json | undefined): Buffer {
  const bytes =
    typeof json === 'string'
      ? Buffer.from(json)
      : isRaw(json)
        ? Buffer.from(json.base64, 'base64')
        : undefined
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
  return typeof json === 'object' && json !== null && typeof (json as Partial<Raw>).base64 === 'string'
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
