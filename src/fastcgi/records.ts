import { FIRST_REQUEST_ID, HEADER_BYTES, KEEP_CONN, RESPONDER, RecordType, VERSION_1 } from './protocol.ts'

/**
 * A record's header alone, for content that is written from where it is. Padding is always 0: it is only advice (FastCGI 1.0,
 * section 3.3), and php-fpm resets the connection when content and padding together pass 65,535 bytes.
 *
 * @param contentBytes at most 65,535; an empty record of a stream type ends the stream
 */
export function encodeHeader(type: RecordType, requestId: number, contentBytes: number): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES)
  writeHeader(header, 0, type, requestId, contentBytes)
  return header
}

/**
 * @param content at most 65,535 bytes
 * @returns where the next record begins
 */
export function writeRecord(
  target: Buffer,
  offset: number,
  type: RecordType,
  requestId: number,
  content: Uint8Array,
): number {
  const contentOffset = writeHeader(target, offset, type, requestId, content.length)
  target.set(content, contentOffset)
  return contentOffset + content.length
}

/** @returns where its content begins */
export function writeHeader(
  target: Buffer,
  offset: number,
  type: RecordType,
  requestId: number,
  contentBytes: number,
): number {
  target[offset] = VERSION_1
  target[offset + 1] = type
  target.writeUInt16BE(requestId, offset + 2)
  target.writeUInt16BE(contentBytes, offset + 4)
  target[offset + 6] = 0
  target[offset + 7] = 0
  return offset + HEADER_BYTES
}

/** The content of a beginRequest for a responder (section 5.1). */
export function beginRequestBody(keepConn: boolean): Buffer {
  return Buffer.from([0, RESPONDER, keepConn ? KEEP_CONN : 0, 0, 0, 0, 0, 0])
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
 *
 * Records of earlier requests on the connection are dropped: a script may print after it has ended its answer.
 */
export class RecordDecoder {
  readonly #sink: RecordSink
  readonly #requestId: number
  /** What comes next, and how many bytes of it are not here yet. */
  #part: Part = 'header'
  #missing = HEADER_BYTES
  /** Of the record whose header came last. */
  #type = 0
  #padding = 0
  /** Whether that record belongs to an earlier request. */
  #late = false
  #lateRecords = false
  #begun = false
  #spoken = false
  /** The last eight bytes of headers and endRequest bodies, big-endian. */
  #high = 0
  #low = 0
  #fault: string | undefined

  /** @param requestId of the answer; ids on one connection ascend */
  constructor(sink: RecordSink, requestId: number) {
    this.#sink = sink
    this.#requestId = requestId
  }

  /** Whether anything of the answer has come. A header that is cut counts, until it says whose record it is. */
  get begun(): boolean {
    return this.#begun || (this.#part === 'header' && this.#missing < HEADER_BYTES)
  }

  /** Whether a record has come that is one: whoever sent it speaks FastCGI. */
  get spoken(): boolean {
    return this.#spoken
  }

  /** Whether records of an earlier request have come: the child went on after that had been answered. */
  get lateRecords(): boolean {
    return this.#lateRecords
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
    if (this.#late) return
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
    if (this.#type === RecordType.endRequest && !this.#late) {
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
    this.#late = version === VERSION_1 && requestId < this.#requestId && requestId >= FIRST_REQUEST_ID
    if (this.#late) {
      this.#lateRecords = true
      return undefined
    }
    this.#begun = true
    if (version !== VERSION_1) return `version ${version} where there should be ${VERSION_1}`
    if (requestId !== this.#requestId) return `a record of request ${requestId}`
    this.#spoken = true
    if (this.#type === RecordType.endRequest) {
      return contentBytes === END_REQUEST_BYTES ? undefined : `endRequest of ${contentBytes} bytes`
    }
    if (this.#type === RecordType.stdout || this.#type === RecordType.stderr) return undefined
    return `a record of type ${this.#type}`
  }
}
