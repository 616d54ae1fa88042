import { HEADER_BYTES, MAX_CONTENT_BYTES, RecordType } from '../fastcgi/protocol.ts'
import { writeHeader } from '../fastcgi/records.ts'

/*
 * What the daemon sends, byte by byte: docs/protocol.md.
 */

/** On a connection of its own, a request has this id. */
export const REQUEST_ID = 1

/** Type, three bytes of nothing, sequence number, bytes of the head, bytes of the body. */
const FRAME_HEADER_BYTES = 16

const MESSAGE = 0x4d // M
const RESUME = 0x52 // R
const FLUSH = 0x46 // F
const BUNDLE = 0x42 // B

/** Bytes of frames that one bundle holds: it is one record. */
export const MAX_BUNDLE_BYTES = MAX_CONTENT_BYTES - FRAME_HEADER_BYTES

/**
 * A message: in one piece, where that is small enough for a bundle. Of a large body the bytes are not copied.
 *
 * @param params what the message has beside the params of the request
 */
export function messageFrame(
  sequence: number,
  params: Readonly<Record<string, string>>,
  body: Uint8Array,
): [start: Buffer, rest?: Uint8Array] {
  // They are for php-fpm's logs and its status page, which know the request alone.
  const { QUERY_STRING: _query, REQUEST_URI: _uri, ...own } = params
  const head = JSON.stringify(own)
  const headBytes = Buffer.byteLength(head)
  const startBytes = FRAME_HEADER_BYTES + headBytes
  const isSmall = startBytes + body.length <= MAX_BUNDLE_BYTES
  const start = Buffer.allocUnsafe(isSmall ? startBytes + body.length : startBytes)
  writeFrameHeader(start, 0, MESSAGE, sequence, headBytes, body.length)
  start.write(head, FRAME_HEADER_BYTES)
  if (!isSmall) return [start, body]
  start.set(body, startBytes)
  return [start]
}

/** The answer to a question: from here on the worker reads again. */
export const resumeFrame = (sequence: number): Buffer => emptyFrame(RESUME, sequence)

/** No more messages come for now: the worker is to answer those that it has put off. */
export const flushFrame = (): Buffer => emptyFrame(FLUSH, 0)

/** Small frames as one record of the stdin stream: several as a bundle, which a worker can read at once. */
export function recordOf(frames: readonly Buffer[]): Buffer {
  const bytes = frames.reduce((sum, { length }) => sum + length, 0)
  const prefix = frames.length > 1 ? FRAME_HEADER_BYTES : 0
  const record = Buffer.allocUnsafe(HEADER_BYTES + prefix + bytes)
  let offset = writeHeader(record, 0, RecordType.stdin, REQUEST_ID, prefix + bytes)
  if (prefix > 0) writeFrameHeader(record, offset, BUNDLE, 0, 0, bytes)
  offset += prefix
  for (const frame of frames) {
    record.set(frame, offset)
    offset += frame.length
  }
  return record
}

function emptyFrame(type: number, sequence: number): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES)
  writeFrameHeader(frame, 0, type, sequence, 0, 0)
  return frame
}

function writeFrameHeader(
  target: Buffer,
  offset: number,
  type: number,
  sequence: number,
  headBytes: number,
  bodyBytes: number,
): void {
  target.writeUInt32BE(type * 2 ** 24, offset)
  target.writeUInt32BE(sequence, offset + 4)
  target.writeUInt32BE(headBytes, offset + 8)
  target.writeUInt32BE(bodyBytes, offset + 12)
}
