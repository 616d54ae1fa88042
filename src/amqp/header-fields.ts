import type { HeaderField } from '../bridge/ports.ts'

/*
 * Header tables in bytes. A copy carries the fields of its message as they came: what a decoder makes of them, no encoder makes
 * undone (a float that is no number, a name that is not UTF-8, two fields of one name).
 */

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
  L: 8,
  T: 8,
}

/**
 * Splits a table into its fields; looks into none.
 *
 * @param table without its length
 * @returns as many as can be told apart: behind a value of a type that nobody knows there may be anything
 */
export function splitFields(table: Buffer): readonly HeaderField[] {
  const fields: HeaderField[] = []
  let offset = 0
  while (offset < table.length) {
    const type = offset + 1 + (table[offset] as number)
    const end = type + 1 + valueBytes(table, type)
    // Not a number when it is cut off or unknown.
    if (!(end <= table.length)) break
    fields.push([table.toString('latin1', offset + 1, type), table.subarray(type, end)])
    offset = end
  }
  return fields
}

function valueBytes(table: Buffer, type: number): number {
  const letter = String.fromCharCode(table[type] ?? 0)
  const fixed = SIZES[letter]
  if (fixed !== undefined) return fixed
  return 'SxFA'.includes(letter) && type + 5 <= table.length ? 4 + table.readUInt32BE(type + 1) : Number.NaN
}

/** Fields of ours, from what need not be ASCII. */
export function textFields(headers: Readonly<Record<string, unknown>>): readonly HeaderField[] {
  return Object.entries(headers).map(([name, value]) => [Buffer.from(name).toString('latin1'), String(value)])
}

/** @returns the table, with its length before it */
export function encodeFields(fields: readonly HeaderField[]): Buffer {
  const parts: Uint8Array[] = [Buffer.alloc(4)]
  let size = 0
  for (const [name, value] of fields) {
    const start = Buffer.from(`\0${name}`, 'latin1')
    start[0] = name.length
    const encoded = encodeValue(value)
    parts.push(start, encoded)
    size += start.length + encoded.length
  }
  const table = Buffer.concat(parts, 4 + size)
  table.writeUInt32BE(size)
  return table
}

/** Type and value of a field. An integer is sent as 64 bits, a string as a long string: AMQP has no shorter one in tables. */
function encodeValue(value: HeaderField[1]): Uint8Array {
  switch (typeof value) {
    case 'string': {
      const bytes = Buffer.alloc(5 + Buffer.byteLength(value))
      bytes.write('S', 'latin1')
      bytes.writeUInt32BE(bytes.length - 5, 1)
      bytes.write(value, 5)
      return bytes
    }
    case 'number': {
      const bytes = Buffer.alloc(9)
      bytes.write('l', 'latin1')
      bytes.writeBigInt64BE(BigInt(value), 1)
      return bytes
    }
    case 'boolean':
      return Buffer.from(value ? 't\x01' : 't\x00', 'latin1')
    default:
      return value
  }
}
