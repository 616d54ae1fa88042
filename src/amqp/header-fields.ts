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
  let size = LENGTH_BYTES
  for (const [name, value] of fields) size += 1 + name.length + bytesOf(value)
  const table = Buffer.allocUnsafe(size)
  table.writeUInt32BE(size - LENGTH_BYTES)
  let offset = LENGTH_BYTES
  for (const [name, value] of fields) {
    table[offset] = name.length
    offset += 1 + table.write(name, offset + 1, 'latin1')
    writeValue(table, offset, value)
    offset += bytesOf(value)
  }
  return table
}

/** Of a table, or of a long string. */
const LENGTH_BYTES = 4

/** With its type. */
function bytesOf(value: HeaderField[1]): number {
  switch (typeof value) {
    case 'string':
      return 1 + LENGTH_BYTES + Buffer.byteLength(value)
    case 'number':
      return 9
    case 'boolean':
      return 2
    default:
      return value.length
  }
}

/** Type and value of a field. An integer is sent as 64 bits, a string as a long string: AMQP has no shorter one in tables. */
function writeValue(table: Buffer, offset: number, value: HeaderField[1]): void {
  switch (typeof value) {
    case 'string': {
      table.write('S', offset, 'latin1')
      const bytes = table.write(value, offset + 1 + LENGTH_BYTES)
      table.writeUInt32BE(bytes, offset + 1)
      break
    }
    case 'number':
      table.write('l', offset, 'latin1')
      table.writeBigInt64BE(BigInt(value), offset + 1)
      break
    case 'boolean':
      table.write(value ? 't\x01' : 't\x00', offset, 'latin1')
      break
    default:
      table.set(value, offset)
  }
}
