/*
 * The application's half of FastCGI, written from the specification for comparison and strict where php-fpm is: what
 * it does not expect, it throws over.
 */

export interface DecodedRecord {
  readonly type: number
  readonly content: Buffer
}

/** @throws when these are no whole records of this request without padding */
export function decodeRecords(bytes: Buffer, requestId = 1): DecodedRecord[] {
  const records: DecodedRecord[] = []
  for (let offset = 0; offset < bytes.length; ) {
    const [version, type = 0, , , , , padding] = bytes.subarray(offset, offset + 8)
    if (version !== 1 || bytes.readUInt16BE(offset + 2) !== requestId)
      throw new Error(`no record of request ${requestId} at ${offset}`)
    if (padding !== 0) throw new Error(`padding at ${offset}`)
    const end = offset + 8 + bytes.readUInt16BE(offset + 4)
    if (end > bytes.length) throw new Error(`a cut record at ${offset}`)
    records.push({ type, content: bytes.subarray(offset + 8, end) })
    offset = end
  }
  return records
}

/** @throws when the last pair is not whole */
export function decodePairs(content: Buffer): [string, string][] {
  const pairs: [string, string][] = []
  let offset = 0
  const length = (): number => {
    const short = content.readUInt8(offset)
    offset += short < 128 ? 1 : 4
    return short < 128 ? short : content.readUInt32BE(offset - 4) & 0x7fff_ffff
  }
  const text = (bytes: number): string => {
    if (offset + bytes > content.length) throw new Error('a cut pair')
    offset += bytes
    return content.toString('utf8', offset - bytes, offset)
  }
  while (offset < content.length) {
    const [name, value] = [length(), length()]
    pairs.push([text(name), text(value)])
  }
  return pairs
}
