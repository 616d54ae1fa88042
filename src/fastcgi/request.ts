import { encodePairs } from './pairs.ts'
import { MAX_CONTENT_BYTES, RecordType } from './protocol.ts'
import { encodeBeginRequest, encodeHeader, encodeRecord } from './records.ts'

/** A request of up to this size is copied into one buffer and written at once: copying is cheaper than a write. */
const ONE_WRITE_BYTES = 64 * 1024

const END_OF_PARAMS = encodeRecord(RecordType.params, new Uint8Array(0))
const END_OF_STDIN = encodeRecord(RecordType.stdin, new Uint8Array(0))

/** Encodes requests; what they have in common only once. */
export class RequestEncoder {
  /** beginRequest, and the params of all requests. */
  readonly #begin: { readonly once: Buffer; readonly keep: Buffer }

  /** @throws {RangeError} when a param fits into no record */
  constructor(params: Readonly<Record<string, string>>) {
    const common = paramsRecords(params)
    this.#begin = {
      once: Buffer.concat([encodeBeginRequest(false), ...common]),
      keep: Buffer.concat([encodeBeginRequest(true), ...common]),
    }
  }

  /**
   * The buffers to write, in order. A small request is one buffer; of a large body the bytes are not copied.
   *
   * @throws {RangeError} when a param fits into no record
   */
  encode(params: Readonly<Record<string, string>>, body: Uint8Array, keepConn: boolean): readonly Buffer[] {
    const buffers = [...this.head(params, keepConn), ...stdinRecords(body), END_OF_STDIN]
    let bytes = 0
    for (const buffer of buffers) bytes += buffer.length
    return bytes <= ONE_WRITE_BYTES ? [Buffer.concat(buffers, bytes)] : buffers
  }

  /** beginRequest and the whole params stream. */
  head(params: Readonly<Record<string, string>>, keepConn: boolean): readonly Buffer[] {
    return [keepConn ? this.#begin.keep : this.#begin.once, ...paramsRecords(params), END_OF_PARAMS]
  }
}

/** A request whose body comes in pieces, as batches of buffers to write one after the other. */
export async function* streamStdin(
  head: readonly Buffer[],
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly Buffer[]> {
  yield head
  for await (const piece of body) if (piece.length > 0) yield stdinRecords(piece)
  yield [END_OF_STDIN]
}

function paramsRecords(params: Readonly<Record<string, string>>): Buffer[] {
  return encodePairs(params).map((content) => encodeRecord(RecordType.params, content))
}

function stdinRecords(body: Uint8Array): Buffer[] {
  const buffers: Buffer[] = []
  for (let offset = 0; offset < body.length; offset += MAX_CONTENT_BYTES) {
    const content = body.subarray(offset, offset + MAX_CONTENT_BYTES)
    buffers.push(
      encodeHeader(RecordType.stdin, content.length),
      Buffer.from(content.buffer, content.byteOffset, content.length),
    )
  }
  return buffers
}
