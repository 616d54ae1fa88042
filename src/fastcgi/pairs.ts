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
  let pairs: Pair[] = []
  let bytes = 0
  for (const [name, value] of Object.entries(params)) {
    const pair = measure(name, value)
    if (pair.bytes > MAX_CONTENT_BYTES) {
      throw new RangeError(
        `param ${name} takes ${pair.bytes} bytes; a FastCGI record holds ${MAX_CONTENT_BYTES}`,
      )
    }
    if (bytes + pair.bytes > MAX_CONTENT_BYTES) {
      contents.push(encodeContent(pairs, bytes))
      pairs = []
      bytes = 0
    }
    pairs.push(pair)
    bytes += pair.bytes
  }
  if (bytes > 0) contents.push(encodeContent(pairs, bytes))
  return contents
}

interface Pair {
  readonly name: string
  readonly value: string
  readonly nameBytes: number
  readonly valueBytes: number
  /** As encoded. */
  readonly bytes: number
}

function measure(name: string, value: string): Pair {
  const nameBytes = Buffer.byteLength(name)
  const valueBytes = Buffer.byteLength(value)
  const lengths = (nameBytes > MAX_SHORT_LENGTH ? 4 : 1) + (valueBytes > MAX_SHORT_LENGTH ? 4 : 1)
  return { name, value, nameBytes, valueBytes, bytes: lengths + nameBytes + valueBytes }
}

function encodeContent(pairs: readonly Pair[], bytes: number): Buffer {
  const content = Buffer.allocUnsafe(bytes)
  let offset = 0
  for (const { name, value, nameBytes, valueBytes } of pairs) {
    offset = writeLength(content, offset, nameBytes)
    offset = writeLength(content, offset, valueBytes)
    offset += content.write(name, offset)
    offset += content.write(value, offset)
  }
  return content
}

function writeLength(buffer: Buffer, offset: number, length: number): number {
  if (length > MAX_SHORT_LENGTH) return buffer.writeUInt32BE((length | 0x8000_0000) >>> 0, offset)
  buffer[offset] = length
  return offset + 1
}
