import { Capture } from '../fastcgi/capture.ts'

/** What a worker says: hello, answer, collected, question, end; see docs/protocol.md. */
export type WorkerFrameType = 'H' | 'A' | 'C' | 'Q' | 'E'

export interface FrameSink {
  /** @param content as long as it is valid: copy what is to be kept */
  frame(type: WorkerFrameType, sequence: number, content: Buffer, truncated: boolean): void
  /** What is no frame: somebody has printed it. */
  stray(piece: Buffer): void
}

const TYPES: ReadonlySet<string> = new Set<WorkerFrameType>(['H', 'A', 'C', 'Q', 'E'])

const NONCE_BYTES = 32
/** Nonce, type, sequence number, bytes of the content. */
const HEADER_BYTES = NONCE_BYTES + 9

const NOTHING = Buffer.alloc(0)

/** A frame whose content has not come whole. */
interface OpenFrame {
  readonly type: WorkerFrameType
  readonly sequence: number
  readonly content: Capture
  missing: number
}

/** Finds a worker's frames in its stdout, which comes in pieces that may be cut anywhere, between whatever else is printed there. */
export class FrameDecoder {
  readonly #nonce: Buffer
  readonly #maxContent: number
  readonly #sink: FrameSink
  /** What may be the beginning of a frame: less than a header. */
  #rest = NOTHING
  #open: OpenFrame | undefined

  /** @param maxContent bytes of a frame that are kept; the rest is read and dropped */
  constructor(nonce: string, maxContent: number, sink: FrameSink) {
    this.#nonce = Buffer.from(nonce, 'latin1')
    this.#maxContent = maxContent
    this.#sink = sink
  }

  write(piece: Buffer): void {
    const data = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece])
    this.#rest = NOTHING
    for (let offset = 0; offset < data.length; ) {
      offset = this.#open === undefined ? this.#begin(data, offset) : this.#goOn(this.#open, data, offset)
    }
  }

  /** No more comes: what looked like the beginning of a frame is none. */
  end(): void {
    if (this.#rest.length > 0) this.#sink.stray(this.#rest)
    this.#rest = NOTHING
  }

  /** @returns where to go on */
  #begin(data: Buffer, from: number): number {
    const at = data.indexOf(this.#nonce, from)
    if (at === -1) {
      const end = Math.max(from, data.length - NONCE_BYTES + 1)
      if (end > from) this.#sink.stray(data.subarray(from, end))
      return this.#keep(data, end)
    }
    if (at > from) this.#sink.stray(data.subarray(from, at))
    const contentAt = at + HEADER_BYTES
    if (contentAt > data.length) return this.#keep(data, at)
    const type = String.fromCharCode(data[at + NONCE_BYTES] as number)
    if (!isType(type)) {
      // Who prints all variables of the request prints the nonce.
      this.#sink.stray(data.subarray(at, at + NONCE_BYTES))
      return at + NONCE_BYTES
    }
    const sequence = data.readUInt32BE(at + NONCE_BYTES + 1)
    const length = data.readUInt32BE(at + NONCE_BYTES + 5)
    if (contentAt + length > data.length) {
      this.#open = { type, sequence, content: new Capture(this.#maxContent), missing: length }
      return contentAt
    }
    const kept = Math.min(length, this.#maxContent)
    this.#sink.frame(type, sequence, data.subarray(contentAt, contentAt + kept), kept < length)
    return contentAt + length
  }

  #goOn(open: OpenFrame, data: Buffer, from: number): number {
    const end = Math.min(data.length, from + open.missing)
    open.content.take(data.subarray(from, end))
    open.missing -= end - from
    if (open.missing === 0) {
      this.#open = undefined
      const { type, sequence, content } = open
      this.#sink.frame(type, sequence, content.bytes(), content.truncated)
    }
    return end
  }

  /** The piece is not ours. */
  #keep(data: Buffer, from: number): number {
    this.#rest = Buffer.from(data.subarray(from))
    return data.length
  }
}

function isType(type: string): type is WorkerFrameType {
  return TYPES.has(type)
}
