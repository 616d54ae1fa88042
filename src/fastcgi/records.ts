import { HEADER_BYTES, KEEP_CONN, REQUEST_ID, RESPONDER, RecordType, VERSION_1 } from './protocol.ts'

/**
 * One record. Padding is always 0: it is only advice (FastCGI 1.0, section 3.3), and php-fpm resets the
 * connection when content and padding together pass 65,535 bytes.
 *
 * @param content at most 65,535 bytes; an empty record of a stream type ends the stream
 */
export function encodeRecord(type: RecordType, content: Uint8Array): Buffer {
  const record = Buffer.allocUnsafe(HEADER_BYTES + content.length)
  writeHeader(record, type, content.length)
  record.set(content, HEADER_BYTES)
  return record
}

/** The header alone, for content that is written from where it is. */
export function encodeHeader(type: RecordType, contentBytes: number): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES)
  writeHeader(header, type, contentBytes)
  return header
}

function writeHeader(target: Buffer, type: RecordType, contentBytes: number): void {
  target[0] = VERSION_1
  target[1] = type
  target.writeUInt16BE(REQUEST_ID, 2)
  target.writeUInt16BE(contentBytes, 4)
  target[6] = 0
  target[7] = 0
}

/** beginRequest for a responder (section 5.1). */
export function encodeBeginRequest(keepConn: boolean): Buffer {
  return encodeRecord(
    RecordType.beginRequest,
    Buffer.from([0, RESPONDER, keepConn ? KEEP_CONN : 0, 0, 0, 0, 0, 0]),
  )
}

/** What comes out of an answer, as it comes. */
export interface RecordSink {
  /** A piece of the stream, as long as it is valid: copy what is to be kept. Never empty. */
  stdout(piece: Buffer): void
  stderr(piece: Buffer): void
  /** The answer is complete (section 5.5). */
  endRequest(appStatus: number, protocolStatus: number): void
}

/** What a record consists of, in this order; nothing follows endRequest. */
type Part = 'header' | 'content' | 'padding' | 'ended'

const END_REQUEST_BYTES = 8

/**
 * Decodes the records of one answer from chunks that may be cut anywhere. Of a header or endRequest that is cut it
 * keeps eight bytes, in two numbers: those need no allocation, and its memory does not grow with the answer.
 */
export class RecordDecoder {
  readonly #sink: RecordSink
  /** What comes next, and how many bytes of it are not here yet. */
  #part: Part = 'header'
  #missing = HEADER_BYTES
  /** Of the record whose header came last. */
  #type = 0
  #padding = 0
  /** The last eight bytes of headers and endRequest bodies, big-endian. */
  #high = 0
  #low = 0
  #fault: string | undefined

  constructor(sink: RecordSink) {
    this.#sink = sink
  }

  /**
   * @returns what is wrong with the stream, from the first time on; bytes after endRequest are wrong too
   */
  write(chunk: Buffer): string | undefined {
    let offset = 0
    while (offset < chunk.length && this.#fault === undefined) {
      if (this.#part === 'ended') this.#fault = 'bytes after endRequest'
      else offset = this.#take(chunk, offset)
    }
    return this.#fault
  }

  /** @returns where in the chunk the next part begins, if there is more of it */
  #take(chunk: Buffer, start: number): number {
    const end = Math.min(chunk.length, start + this.#missing)
    if (this.#part === 'header') this.#shiftIn(chunk, start, end)
    else if (this.#part === 'content') this.#content(chunk, start, end)
    this.#missing -= end - start
    if (this.#missing === 0) this.#moveOn()
    return end
  }

  #content(chunk: Buffer, start: number, end: number): void {
    if (this.#type === RecordType.endRequest) this.#shiftIn(chunk, start, end)
    else if (this.#type === RecordType.stdout) this.#sink.stdout(chunk.subarray(start, end))
    else this.#sink.stderr(chunk.subarray(start, end))
  }

  #shiftIn(chunk: Buffer, start: number, end: number): void {
    for (let at = start; at < end; at += 1) {
      this.#high = (this.#high << 8) | (this.#low >>> 24)
      this.#low = (this.#low << 8) | (chunk[at] as number)
    }
  }

  /** To the next part, past those that are empty. */
  #moveOn(): void {
    if (this.#part === 'header') {
      this.#part = 'content'
      this.#fault = this.#readHeader()
      if (this.#fault !== undefined || this.#missing > 0) return
    }
    if (this.#part === 'content') {
      this.#part = 'padding'
      this.#missing = this.#padding
      if (this.#missing > 0) return
    }
    if (this.#type === RecordType.endRequest) {
      this.#part = 'ended'
      this.#sink.endRequest(this.#high >>> 0, this.#low >>> 24)
    } else {
      this.#part = 'header'
      this.#missing = HEADER_BYTES
    }
  }

  /** @returns what is wrong with it */
  #readHeader(): string | undefined {
    const version = this.#high >>> 24
    const requestId = this.#high & 0xffff
    const contentBytes = this.#low >>> 16
    this.#type = (this.#high >>> 16) & 0xff
    this.#padding = (this.#low >>> 8) & 0xff
    this.#missing = contentBytes
    if (version !== VERSION_1) return `version ${version} where there should be ${VERSION_1}`
    if (requestId !== REQUEST_ID) return `a record of request ${requestId}`
    if (this.#type === RecordType.endRequest) {
      return contentBytes === END_REQUEST_BYTES ? undefined : `endRequest of ${contentBytes} bytes`
    }
    if (this.#type === RecordType.stdout || this.#type === RecordType.stderr) return undefined
    return `a record of type ${this.#type}`
  }
}
