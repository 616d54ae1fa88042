import { bytesOfText, type Json, objectIn } from './exact-json.ts'

/** A type of values of a header table. */
export interface Kind {
  /** Of its bytes, where that is fixed; otherwise four bytes before it say so. */
  readonly size?: number
  toJson(bytes: Buffer, depth: number): Json
  /** @throws {TypeError} whose message completes "header ... " */
  toBytes(json: Json, depth: number): Buffer
}

const integer = (size: number, signed: boolean): Kind => ({
  size,
  toJson(bytes) {
    if (size < 8) return signed ? bytes.readIntBE(0, size) : bytes.readUIntBE(0, size)
    const value = signed ? bytes.readBigInt64BE() : bytes.readBigUInt64BE()
    return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  },
  toBytes(json) {
    const value = integerIn(json)
    const fits = signed ? BigInt.asIntN(size * 8, value) : BigInt.asUintN(size * 8, value)
    if (fits !== value) throw new TypeError(`must fit into ${size * 8} bits`)
    const bytes = Buffer.alloc(8)
    if (value < 0n) bytes.writeBigInt64BE(value)
    else bytes.writeBigUInt64BE(value)
    return bytes.subarray(8 - size)
  },
})

function integerIn(json: Json): bigint {
  if (typeof json === 'string' && /^-?\d{1,20}$/.test(json)) return BigInt(json)
  if (!Number.isInteger(json)) throw new TypeError('must be an integer')
  // JSON.parse has rounded it.
  if (!Number.isSafeInteger(json)) throw new TypeError('must be in quotes: it is beyond 2^53')
  return BigInt(json as number)
}

const float = (size: 4 | 8): Kind => ({
  size,
  toJson(bytes) {
    const value = size === 4 ? bytes.readFloatBE() : bytes.readDoubleBE()
    if (Object.is(value, -0)) throw new TypeError('has a sign that JSON.stringify leaves out')
    return value
  },
  toBytes(json) {
    const value = typeof json === 'number' && size === 4 ? Math.fround(json) : json
    if (typeof json !== 'number') throw new TypeError('must be a number')
    if (!Number.isFinite(value)) throw new TypeError(`must fit into ${size * 8} bits`)
    const bytes = Buffer.alloc(size)
    if (size === 4) bytes.writeFloatBE(json)
    else bytes.writeDoubleBE(json)
    return bytes
  },
})

const uint8 = integer(1, false)
const uint32 = integer(4, false)

/** By AMQP's letter, those that have no other values in them. */
export const SCALARS: Readonly<Record<string, Kind>> = {
  V: {
    size: 0,
    toJson: () => null,
    toBytes(json) {
      if (json !== null) throw new TypeError('must be null')
      return Buffer.alloc(0)
    },
  },
  t: {
    size: 1,
    toJson: ([byte]) => byte === 1,
    toBytes(json) {
      if (typeof json !== 'boolean') throw new TypeError('must be true or false')
      return Buffer.from([json ? 1 : 0])
    },
  },
  b: integer(1, true),
  B: uint8,
  s: integer(2, true),
  u: integer(2, false),
  I: integer(4, true),
  i: uint32,
  l: integer(8, true),
  L: integer(8, false),
  T: integer(8, false),
  f: float(4),
  d: float(8),
  D: {
    size: 5,
    toJson: (bytes) => ({ places: bytes.readUInt8(), digits: bytes.readUInt32BE(1) }),
    toBytes(json) {
      const { places, digits, ...others } = objectIn(json, 'places and digits') as Record<string, Json>
      if (Object.keys(others).length > 0) throw new TypeError('must have places and digits, and nothing else')
      return Buffer.concat([uint8.toBytes(places ?? null, 0), uint32.toBytes(digits ?? null, 0)])
    },
  },
  S: {
    toJson: (bytes) => bytes.toString(),
    toBytes(json) {
      if (typeof json !== 'string') throw new TypeError('must be a text')
      return bytesOfText(json)
    },
  },
  x: {
    toJson: (bytes) => ({ base64: bytes.toString('base64') }),
    toBytes() {
      throw new TypeError('must be {"base64": "..."}')
    },
  },
}
