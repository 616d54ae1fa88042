/*
 * Content header frames (AMQP 0-9-1, sections 2.3.5 and 2.3.5.2) with the header table that is in them.
 */

/** The frame's type. */
export const CONTENT_HEADER = 2
export const FRAME_HEADER_BYTES = 7
export const FRAME_END_BYTES = 1

/** Class, weight and body size come before the property flags. */
const FLAGS_OFFSET = FRAME_HEADER_BYTES + 12
const FLAG = { contentType: 1 << 15, contentEncoding: 1 << 14, headers: 1 << 13 }

/** @returns the size of the frame that begins there, all included */
export function frameBytes(bytes: Buffer, offset: number): number {
  return FRAME_HEADER_BYTES + bytes.readUInt32BE(offset + 3) + FRAME_END_BYTES
}

/** @returns the number of its channel */
export function channelOf(bytes: Buffer, frame: number): number {
  return bytes.readUInt16BE(frame + 1)
}

/** @returns where its header table begins, with its length; 0 when it has none */
export function tableOffset(bytes: Buffer, frame: number): number {
  const flags = bytes.readUInt16BE(frame + FLAGS_OFFSET)
  if ((flags & FLAG.headers) === 0) return 0
  let offset = frame + FLAGS_OFFSET + 2
  // Two short strings may come first.
  if ((flags & FLAG.contentType) !== 0) offset += 1 + bytes.readUInt8(offset)
  if ((flags & FLAG.contentEncoding) !== 0) offset += 1 + bytes.readUInt8(offset)
  return offset
}

/** Makes the frame that begins there so many bytes larger, as far as it says so itself. */
export function growFrame(bytes: Buffer, frame: number, by: number): void {
  bytes.writeUInt32BE(bytes.readUInt32BE(frame + 3) + by, frame + 3)
}
