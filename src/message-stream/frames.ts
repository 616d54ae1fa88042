import { HEADER_BYTES, MAX_CONTENT_BYTES, RecordType } from '../fastcgi/protocol.ts'
import { writeHeader } from '../fastcgi/records.ts'
import { stdinRecords } from '../fastcgi/request.ts'

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

/**
 * A message, as records of the stdin stream: one, where that holds it. Of a large body the bytes are not copied.
 *
 * @param params what the message has beside the params of the request
 */
export function messageFrame(
  sequence: number,
  params: Readonly<Record<string, string>>,
  body: Uint8Array,
): Buffer[] {
  const head = JSON.stringify(params)
  const headBytes = Buffer.byteLength(head)
  const frameBytes = FRAME_HEADER_BYTES + headBytes + body.length
  if (frameBytes <= MAX_CONTENT_BYTES) {
    const record = Buffer.allocUnsafe(HEADER_BYTES + frameBytes)
    const offset = writeHeader(record, 0, RecordType.stdin, REQUEST_ID, frameBytes)
    writeFrameHeader(record, offset, MESSAGE, sequence, headBytes, body.length)
    record.write(head, offset + FRAME_HEADER_BYTES)
    record.set(body, offset + FRAME_HEADER_BYTES + headBytes)
    return [record]
  }
  const start = Buffer.allocUnsafe(FRAME_HEADER_BYTES + headBytes)
  writeFrameHeader(start, 0, MESSAGE, sequence, headBytes, body.length)
  start.write(head, FRAME_HEADER_BYTES)
  return [...stdinRecords(REQUEST_ID, start), ...stdinRecords(REQUEST_ID, body)]
}

/** The answer to a question: from here on the worker reads again. */
export const resumeFrame = (sequence: number): Buffer => emptyFrame(RESUME, sequence)

/** No more messages come for now: the worker is to answer those that it has put off. */
export const flushFrame = (): Buffer => emptyFrame(FLUSH, 0)

function emptyFrame(type: number, sequence: number): Buffer {
  const record = Buffer.allocUnsafe(HEADER_BYTES + FRAME_HEADER_BYTES)
  const offset = writeHeader(record, 0, RecordType.stdin, REQUEST_ID, FRAME_HEADER_BYTES)
  writeFrameHeader(record, offset, type, sequence, 0, 0)
  return record
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
