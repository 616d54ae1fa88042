/** AMQP_HEADERS is JSON, of which PHP's json_decode takes 511 levels and a scalar. */
const MAX_DEPTH = 511

/** Why nobody can decode a table. */
export class Undecodable extends Error {}

/**
 * Decodes the fields of a header table (RabbitMQ's errata for section 4.2.5.5 of AMQP 0-9-1). Values are what amqplib makes of
 * them, but for what that cannot tell apart:
 *
 * - an integer beyond 2^53 is a bigint;
 * - a timestamp is `{"!":"timestamp","value":...}`, a decimal `{"!":"decimal","value":{"places":...,"digits":...}}`, and a table
 *   within the table that has itself a field called `!` is `{"!":"table","value":...}`.
 *
 * Of fields with one name the last counts.
 *
 * @param fields the table without its length
 * @throws {Undecodable} whose message completes "its header table ..."
 */
export function decodeTable(fields: Buffer): Record<string, unknown> {
  return new Decoder(fields).table(fields.length, 1)
}

class Decoder {
  readonly #bytes: Buffer
  #offset = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** @param depth of this table, from 1 */
  table(end: number, depth: number): Record<string, unknown> {
    checkDepth(depth)
    const table: Record<string, unknown> = {}
    while (this.#offset < end) {
      const name = this.#text(this.#take(1, end), end)
      const value = this.#value(end, depth)
      if (name !== '__proto__') table[name] = value
      else Object.defineProperty(table, name, { value, enumerable: true, configurable: true, writable: true })
    }
    return table
  }

  #array(end: number, depth: number): unknown[] {
    checkDepth(depth)
    const values: unknown[] = []
    while (this.#offset < end) values.push(this.#value(end, depth))
    return values
  }

  #value(end: number, depth: number): unknown {
    const bytes = this.#bytes
    const type = this.#take(1, end)
    const at = this.#offset
    switch (String.fromCharCode(type)) {
      case 'S':
        return this.#text(this.#take(4, end), end)
      case 'x':
        return this.#slice(this.#take(4, end), end)
      case 'F': {
        const table = this.table(this.#end(end), depth + 1)
        return Object.hasOwn(table, '!') ? { '!': 'table', value: table } : table
      }
      case 'A':
        return this.#array(this.#end(end), depth + 1)
      case 'V':
        return null
      case 't':
        return this.#take(1, end) !== 0
      case 'b':
        this.#skip(1, end)
        return bytes.readInt8(at)
      case 'B':
        return this.#take(1, end)
      case 's':
        this.#skip(2, end)
        return bytes.readInt16BE(at)
      case 'u':
        return this.#take(2, end)
      case 'I':
        this.#skip(4, end)
        return bytes.readInt32BE(at)
      case 'i':
        return this.#take(4, end)
      case 'l':
        this.#skip(8, end)
        return exact(bytes.readBigInt64BE(at))
      // amqplib does not know it, and RabbitMQ passes it on.
      case 'L':
        this.#skip(8, end)
        return exact(bytes.readBigUInt64BE(at))
      case 'T':
        this.#skip(8, end)
        return { '!': 'timestamp', value: exact(bytes.readBigUInt64BE(at)) }
      case 'f':
        this.#skip(4, end)
        return bytes.readFloatBE(at)
      case 'd':
        this.#skip(8, end)
        return bytes.readDoubleBE(at)
      case 'D': {
        this.#skip(5, end)
        return { '!': 'decimal', value: { places: bytes.readUInt8(at), digits: bytes.readUInt32BE(at + 1) } }
      }
      default:
        throw new Undecodable(`has a value of the unknown type ${JSON.stringify(String.fromCharCode(type))}`)
    }
  }

  /** An unsigned integer of so many bytes. */
  #take(size: 1 | 2 | 4, end: number): number {
    const at = this.#offset
    this.#skip(size, end)
    return size === 1 ? (this.#bytes[at] as number) : this.#bytes.readUIntBE(at, size)
  }

  #text(size: number, end: number): string {
    const at = this.#offset
    this.#skip(size, end)
    return this.#bytes.toString('utf8', at, this.#offset)
  }

  #slice(size: number, end: number): Buffer {
    const at = this.#offset
    this.#skip(size, end)
    return this.#bytes.subarray(at, this.#offset)
  }

  /** Where the table or array ends whose length comes next. */
  #end(end: number): number {
    const size = this.#take(4, end)
    if (this.#offset + size > end) throw cutOff()
    return this.#offset + size
  }

  #skip(size: number, end: number): void {
    this.#offset += size
    if (this.#offset > end) throw cutOff()
  }
}

/** As a number where that is exact. */
function exact(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function checkDepth(depth: number): void {
  if (depth > MAX_DEPTH) throw new Undecodable(`nests deeper than ${MAX_DEPTH} levels`)
}

function cutOff(): Undecodable {
  return new Undecodable('ends in the middle of a field')
}
