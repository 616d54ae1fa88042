import { encodePairs } from './pairs.ts'
import { HEADER_BYTES, MAX_CONTENT_BYTES, RecordType } from './protocol.ts'
import { beginRequestBody, encodeHeader, writeHeader, writeRecord } from './records.ts'
import type { FastCgiBody } from './types.ts'

/** A request of up to this size is copied into one buffer and written at once: copying is cheaper than a write. */
const ONE_WRITE_BYTES = 64 * 1024

export interface RequestEncoderOptions {
  /** What all requests have in common. */
  readonly params: Readonly<Record<string, string>>
  /**
   * Whether the stdin stream ends with its empty record. php-fpm reads CONTENT_LENGTH bytes and no more, and allows for the
   * record to be missing (main/fastcgi.c, fcgi_close). Where it is withheld, nothing of a request that has been read is left
   * in the socket: see lost-request.ts.
   */
  readonly endOfStdin: boolean
}

/** Encodes requests; what they have in common only once. */
export class RequestEncoder {
  readonly #commonParams: readonly Buffer[]
  readonly #commonBytes: number
  readonly #endOfStdin: boolean

  /** @throws {RangeError} when a param fits into no record */
  constructor({ params, endOfStdin }: RequestEncoderOptions) {
    this.#commonParams = encodePairs(params)
    // beginRequest, whose content is as long as its header, and the end of the params.
    this.#commonBytes = 3 * HEADER_BYTES + recordsBytes(this.#commonParams)
    this.#endOfStdin = endOfStdin
  }

  /**
   * A request whose body is here. Its length becomes CONTENT_LENGTH, which is not to be among the params.
   *
   * @throws {RangeError} when a param fits into no record
   */
  encode(params: Readonly<Record<string, string>>, body: Uint8Array): EncodedRequest {
    return new EncodedRequest(this.#head(params, body.length), body, this.#endOfStdin)
  }

  /**
   * A request whose body comes in pieces.
   *
   * @throws {RangeError} as encode
   */
  stream(params: Readonly<Record<string, string>>, body: PiecedBody): StreamedRequest {
    return new StreamedRequest(this.#head(params, body.length), body.pieces, this.#endOfStdin)
  }

  /**
   * A request whose body comes in records of its owner's.
   *
   * @param length of the body, as php-fpm is told
   * @throws {RangeError} as encode
   */
  open(params: Readonly<Record<string, string>>, length: number): EncodedRequest {
    return new EncodedRequest(this.#head(params, length), new Uint8Array(), false)
  }

  #head(params: Readonly<Record<string, string>>, length: number): RequestHead {
    const own = encodePairs(params, { CONTENT_LENGTH: String(length) })
    return { common: this.#commonParams, own, bytes: this.#commonBytes + recordsBytes(own) }
  }
}

type PiecedBody = Exclude<FastCgiBody, Uint8Array>

/** beginRequest and the params stream. */
interface RequestHead {
  /** Contents of records: those of all requests, and this one's. */
  readonly common: readonly Buffer[]
  readonly own: readonly Buffer[]
  /** Of all its records. */
  readonly bytes: number
}

/** A request to be sent under any id. */
export class EncodedRequest {
  readonly #head: RequestHead
  readonly #body: Uint8Array
  readonly #endOfStdin: boolean
  /** Where it is one write. */
  readonly #bytes: number

  constructor(head: RequestHead, body: Uint8Array, endOfStdin: boolean) {
    this.#head = head
    this.#body = body
    this.#endOfStdin = endOfStdin
    const stdinBytes = body.length === 0 ? 0 : HEADER_BYTES + body.length
    this.#bytes = head.bytes + stdinBytes + (endOfStdin ? HEADER_BYTES : 0)
  }

  /** Whether all of it is one buffer, and so one write. */
  get isOneWrite(): boolean {
    return this.#bytes <= ONE_WRITE_BYTES
  }

  /** The buffers to write, in order. A small request is one buffer; of a large body the bytes are not copied. */
  toBuffers(requestId: number, keepConn: boolean): readonly Buffer[] {
    if (!this.isOneWrite) {
      const head = Buffer.allocUnsafe(this.#head.bytes)
      writeHead(head, requestId, keepConn, this.#head)
      const buffers = [head, ...stdinRecords(requestId, this.#body)]
      return this.#endOfStdin ? [...buffers, encodeHeader(RecordType.stdin, requestId, 0)] : buffers
    }
    const whole = Buffer.allocUnsafe(this.#bytes)
    let offset = writeHead(whole, requestId, keepConn, this.#head)
    if (this.#body.length > 0) offset = writeRecord(whole, offset, RecordType.stdin, requestId, this.#body)
    if (this.#endOfStdin) writeHeader(whole, offset, RecordType.stdin, requestId, 0)
    return [whole]
  }
}

/** A request to be sent once, as its body comes. */
export class StreamedRequest {
  readonly isOneWrite = false
  readonly #head: RequestHead
  readonly #pieces: AsyncIterable<Uint8Array>
  readonly #endOfStdin: boolean

  constructor(head: RequestHead, pieces: AsyncIterable<Uint8Array>, endOfStdin: boolean) {
    this.#head = head
    this.#pieces = pieces
    this.#endOfStdin = endOfStdin
  }

  /** Batches of buffers to write one after the other. */
  async *toBatches(requestId: number, keepConn: boolean): AsyncGenerator<readonly Buffer[]> {
    const head = Buffer.allocUnsafe(this.#head.bytes)
    writeHead(head, requestId, keepConn, this.#head)
    yield [head]
    for await (const piece of this.#pieces) if (piece.length > 0) yield stdinRecords(requestId, piece)
    if (this.#endOfStdin) yield [encodeHeader(RecordType.stdin, requestId, 0)]
  }
}

/** The content of beginRequest. */
const BEGIN = { keep: beginRequestBody(true), once: beginRequestBody(false) }

/** @returns where the stdin stream begins */
function writeHead(
  target: Buffer,
  requestId: number,
  keepConn: boolean,
  { common, own }: RequestHead,
): number {
  const begin = keepConn ? BEGIN.keep : BEGIN.once
  let offset = writeRecord(target, 0, RecordType.beginRequest, requestId, begin)
  for (const content of common) offset = writeRecord(target, offset, RecordType.params, requestId, content)
  for (const content of own) offset = writeRecord(target, offset, RecordType.params, requestId, content)
  return writeHeader(target, offset, RecordType.params, requestId, 0)
}

function recordsBytes(contents: readonly Buffer[]): number {
  let bytes = 0
  for (const content of contents) bytes += HEADER_BYTES + content.length
  return bytes
}

/** Of the stdin stream, without its end; the bytes are not copied. */
export function stdinRecords(requestId: number, body: Uint8Array): Buffer[] {
  const buffers: Buffer[] = []
  for (let offset = 0; offset < body.length; offset += MAX_CONTENT_BYTES) {
    const content = body.subarray(offset, offset + MAX_CONTENT_BYTES)
    buffers.push(
      encodeHeader(RecordType.stdin, requestId, content.length),
      Buffer.from(content.buffer, content.byteOffset, content.length),
    )
  }
  return buffers
}
