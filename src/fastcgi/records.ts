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

type State =
  | { kind: 'header' }
  | { kind: 'content'; type: number; content: number; padding: number }
  | { kind: 'ended' }
  | { kind: 'malformed'; fault: string }

const END_REQUEST_BYTES = 8

/**
 * Decodes the records of one answer from chunks that may be cut anywhere. Keeps at most one header or one
 * endRequest body: its memory does not grow with the answer.
 */
export class RecordDecoder {
  readonly #sink: RecordSink
  /** Bytes of a header or endRequest body that is not here yet as a whole. */
  readonly #partial = Buffer.allocUnsafe(HEADER_BYTES)
  #partialBytes = 0
  #state: State = { kind: 'header' }

  constructor(sink: RecordSink) {
    this.#sink = sink
  }

  /**
   * @returns what is wrong with the stream, from the first time on; bytes after endRequest are wrong too
   */
  write(chunk: Buffer): string | undefined {
    let offset = 0
    while (offset < chunk.length && this.#state.kind !== 'malformed') {
      if (this.#state.kind === 'header') offset = this.#header(chunk, offset)
      else if (this.#state.kind === 'content') offset = this.#content(this.#state, chunk, offset)
      else this.#fail('bytes after endRequest')
    }
    return this.#state.kind === 'malformed' ? this.#state.fault : undefined
  }

  #header(chunk: Buffer, offset: number): number {
    const next = this.#collect(chunk, offset, HEADER_BYTES)
    if (this.#partialBytes < HEADER_BYTES) return next
    this.#partialBytes = 0
    const header = this.#partial
    const type = header.readUInt8(1)
    const content = header.readUInt16BE(4)
    if (header[0] !== VERSION_1) this.#fail(`version ${header[0]} where there should be ${VERSION_1}`)
    else if (header.readUInt16BE(2) !== REQUEST_ID)
      this.#fail(`a record of request ${header.readUInt16BE(2)}`)
    else if (type === RecordType.endRequest && content !== END_REQUEST_BYTES)
      this.#fail(`endRequest of ${content} bytes`)
    else if (type !== RecordType.stdout && type !== RecordType.stderr && type !== RecordType.endRequest) {
      this.#fail(`a record of type ${type}`)
    } else this.#enter({ kind: 'content', type, content, padding: header.readUInt8(6) })
    return next
  }

  #content(state: Extract<State, { kind: 'content' }>, chunk: Buffer, offset: number): number {
    if (state.content === 0) {
      const skipped = Math.min(state.padding, chunk.length - offset)
      this.#enter({ ...state, padding: state.padding - skipped })
      return offset + skipped
    }
    if (state.type === RecordType.endRequest) {
      const next = this.#collect(chunk, offset, END_REQUEST_BYTES)
      if (this.#partialBytes === END_REQUEST_BYTES) this.#enter({ ...state, content: 0 })
      return next
    }
    const end = Math.min(chunk.length, offset + state.content)
    const piece = chunk.subarray(offset, end)
    if (state.type === RecordType.stdout) this.#sink.stdout(piece)
    else this.#sink.stderr(piece)
    this.#enter({ ...state, content: state.content - piece.length })
    return end
  }

  /** Moves on, past what is complete already. */
  #enter(state: Extract<State, { kind: 'content' }>): void {
    if (state.content > 0 || state.padding > 0) this.#state = state
    else if (state.type === RecordType.endRequest) {
      this.#state = { kind: 'ended' }
      this.#sink.endRequest(this.#partial.readUInt32BE(0), this.#partial.readUInt8(4))
    } else this.#state = { kind: 'header' }
  }

  #collect(chunk: Buffer, offset: number, wanted: number): number {
    const copied = chunk.copy(this.#partial, this.#partialBytes, offset, offset + wanted - this.#partialBytes)
    this.#partialBytes += copied
    return offset + copied
  }

  #fail(fault: string): void {
    this.#state = { kind: 'malformed', fault }
  }
}
