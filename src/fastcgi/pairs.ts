import { MAX_CONTENT_BYTES } from './protocol.ts'

/** Lengths up to this take one byte, longer ones four with the highest bit set (FastCGI 1.0, section 3.4). */
const MAX_SHORT_LENGTH = 127

/**
 * Encodes name-value pairs into the contents of as few records as possible.
 *
 * The specification lets a pair run over from one record to the next; php-fpm parses every record for itself
 * (main/fastcgi.c, fcgi_read_request) and would misread the rest. So records end where pairs end.
 *
 * @returns contents of 1 to 65,535 bytes each; none when there are no pairs
 * @throws {RangeError} naming the param that fits into no record
 */
export function encodePairs(params: Readonly<Record<string, string>>): Buffer[] {
  const contents: Buffer[] = []
  let pending: Buffer[] = []
  let pendingBytes = 0
  for (const [name, value] of Object.entries(params)) {
    const pair = encodePair(name, value)
    if (pair.length > MAX_CONTENT_BYTES) {
      throw new RangeError(
        `param ${name} takes ${pair.length} bytes; a FastCGI record holds ${MAX_CONTENT_BYTES}`,
      )
    }
    if (pendingBytes + pair.length > MAX_CONTENT_BYTES) {
      contents.push(Buffer.concat(pending, pendingBytes))
      pending = []
      pendingBytes = 0
    }
    pending.push(pair)
    pendingBytes += pair.length
  }
  if (pendingBytes > 0) contents.push(Buffer.concat(pending, pendingBytes))
  return contents
}

function encodePair(name: string, value: string): Buffer {
  const nameBytes = Buffer.byteLength(name)
  const valueBytes = Buffer.byteLength(value)
  const lengths = (nameBytes > MAX_SHORT_LENGTH ? 4 : 1) + (valueBytes > MAX_SHORT_LENGTH ? 4 : 1)
  const pair = Buffer.allocUnsafe(lengths + nameBytes + valueBytes)
  let offset = writeLength(pair, 0, nameBytes)
  offset = writeLength(pair, offset, valueBytes)
  offset += pair.write(name, offset)
  pair.write(value, offset)
  return pair
}

function writeLength(buffer: Buffer, offset: number, length: number): number {
  return length > MAX_SHORT_LENGTH
    ? buffer.writeUInt32BE((length | 0x8000_0000) >>> 0, offset)
    : buffer.writeUInt8(length, offset)
}
