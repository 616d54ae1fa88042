/* The frames of a message stream, as docs/protocol.md has them; written from that page alone. */

/** What a worker sends. */
export interface WorkerFrame {
  readonly type: 'hello' | 'answer' | 'collected' | 'question' | 'end'
  readonly sequence: number
  readonly content: Buffer
}

const TYPES: Readonly<Record<string, WorkerFrame['type']>> = {
  H: 'hello',
  A: 'answer',
  C: 'collected',
  Q: 'question',
  E: 'end',
}

/** A frame to the worker: a message, `R`, `F` or `B`. */
export function frameToWorker(
  type: 'M' | 'R' | 'F' | 'B',
  sequence: number,
  head = '',
  body: Uint8Array | string = '',
): Buffer {
  const [headBytes, bodyBytes] = [Buffer.from(head), Buffer.from(body)]
  const lengths = Buffer.alloc(16)
  lengths.write(type, 'latin1')
  lengths.writeUInt32BE(sequence, 4)
  lengths.writeUInt32BE(headBytes.length, 8)
  lengths.writeUInt32BE(bodyBytes.length, 12)
  return Buffer.concat([lengths, headBytes, bodyBytes])
}

const PREFIX_BYTES = 32 + 1 + 4 + 4

/** Finds the frames in a worker's stdout, and keeps what is between them. */
export class FrameReader {
  readonly #nonce: Buffer
  /** What has come, and is not yet part of a whole frame. */
  #pieces: Buffer[] = []
  #length = 0
  /** Bytes without which there is no whole frame. */
  #needed = PREFIX_BYTES
  #between: Buffer = Buffer.alloc(0)

  constructor(nonce: string) {
    this.#nonce = Buffer.from(nonce, 'latin1')
  }

  /** What no frame was: the CGI header block, and what others have printed. */
  get between(): string {
    return Buffer.concat([this.#between, ...this.#pieces]).toString('latin1')
  }

  *take(piece: Buffer): Generator<WorkerFrame> {
    this.#pieces.push(piece)
    this.#length += piece.length
    while (this.#length >= this.#needed) {
      const pending = Buffer.concat(this.#pieces)
      const start = pending.indexOf(this.#nonce)
      const frame = start === -1 ? undefined : pending.subarray(start)
      if (frame === undefined || frame.length < PREFIX_BYTES) {
        this.#keep(pending, pending.length + 1)
        return
      }
      const end = PREFIX_BYTES + frame.readUInt32BE(37)
      if (frame.length < end) {
        this.#keep(pending, start + end)
        return
      }
      const type = TYPES[frame.toString('latin1', 32, 33)]
      if (type === undefined) throw new Error(`no frame: ${frame.toString('latin1', 32, 64)}`)
      this.#between = Buffer.concat([this.#between, pending.subarray(0, start)])
      this.#keep(frame.subarray(end), PREFIX_BYTES)
      yield { type, sequence: frame.readUInt32BE(33), content: frame.subarray(PREFIX_BYTES, end) }
    }
  }

  #keep(pending: Buffer, needed: number): void {
    this.#pieces = [pending]
    this.#length = pending.length
    this.#needed = needed
  }
}
