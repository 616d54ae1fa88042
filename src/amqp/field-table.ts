/** AMQP_HEADERS is JSON, of which PHP's json_decode takes 511 levels and a scalar. amqplib's decoder takes some 3,900. */
const MAX_DEPTH = 511

/** How many bytes the values of each type take, where that is fixed (RabbitMQ's errata for section 4.2.5.5). */
const SIZES: Readonly<Record<string, number>> = {
  V: 0,
  t: 1,
  b: 1,
  B: 1,
  s: 2,
  u: 2,
  I: 4,
  i: 4,
  f: 4,
  D: 5,
  d: 8,
  l: 8,
  T: 8,
}

/**
 * Makes a field table one that amqplib can decode, if it is not: an unsigned 64-bit integer (`L`), which RabbitMQ
 * passes on and amqplib does not know, becomes a double in its place: as a number of JavaScript it would be one anyway.
 *
 * @param fields the table without its length; changed in place
 * @returns why nobody can decode it; undefined when amqplib can
 */
export function makeDecodable(fields: Buffer): string | undefined {
  try {
    walk(fields, 0, fields.length, 'F', 1)
    return undefined
  } catch (error) {
    if (error instanceof Undecodable) return error.message
    throw error
  }
}

class Undecodable extends Error {}

/** Goes through the fields of a table (`F`), or the values of an array (`A`), which have no names. */
function walk(bytes: Buffer, start: number, end: number, kind: 'F' | 'A', depth: number): void {
  if (depth > MAX_DEPTH) throw new Undecodable(`nests deeper than ${MAX_DEPTH} levels`)
  let offset = start
  while (offset < end) {
    const nameBytes = kind === 'F' ? 1 + bytes.readUInt8(offset) : 0
    const value = within(offset + nameBytes + 1, end)
    offset = within(value + valueBytes(bytes, value, end, depth), end)
  }
}

/** @returns how many bytes the value takes whose type is in the byte before it */
function valueBytes(bytes: Buffer, value: number, end: number, depth: number): number {
  const type = String.fromCharCode(bytes.readUInt8(value - 1))
  switch (type) {
    case 'S':
    case 'x':
      return 4 + length(bytes, value, end)
    case 'F':
    case 'A': {
      const size = 4 + length(bytes, value, end)
      walk(bytes, value + 4, within(value + size, end), type, depth + 1)
      return size
    }
    case 'L':
      within(value + 8, end)
      bytes.writeDoubleBE(Number(bytes.readBigUInt64BE(value)), value)
      bytes.write('d', value - 1)
      return 8
    default: {
      const size = SIZES[type]
      if (size === undefined) throw new Undecodable(`has a value of the unknown type ${JSON.stringify(type)}`)
      return size
    }
  }
}

function length(bytes: Buffer, offset: number, end: number): number {
  within(offset + 4, end)
  return bytes.readUInt32BE(offset)
}

/** @returns the offset, which must not be beyond the end of its table */
function within(offset: number, end: number): number {
  if (offset > end) throw new Undecodable('ends in the middle of a field')
  return offset
}
