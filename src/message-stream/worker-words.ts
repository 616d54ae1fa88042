import { Capture } from '../fastcgi/capture.ts'
import { RecordDecoder, type RecordSink } from '../fastcgi/records.ts'
import { parseResponseHead } from '../fastcgi/response.ts'
import { FrameDecoder, type FrameSink, type WorkerFrameType } from './frame-decoder.ts'
import { REQUEST_ID } from './frames.ts'

/** Bytes of what is printed there, and is no frame, that are kept for the operator. */
const STRAY_BYTES = 512

export interface WorkerWordsOptions {
  /** The one in the params of the request. */
  readonly nonce: string
  /** Bytes of an answer, and of stderr between two answers, that are kept. */
  readonly maxResponse: number
  readonly maxStderr: number
  /** `content` is valid for as long as the call takes. */
  readonly onFrame: (type: WorkerFrameType, sequence: number, content: Buffer, truncated: boolean) => void
  /** The request has ended, in order. */
  readonly onEnd: () => void
}

/** What comes from the worker of one request: frames, and around them whatever it prints and writes to stderr. */
export class WorkerWords implements RecordSink, FrameSink {
  readonly #options: WorkerWordsOptions
  readonly #records = new RecordDecoder(this, REQUEST_ID)
  readonly #frames: FrameDecoder
  readonly #stray = new Capture(STRAY_BYTES)
  #stderr: Capture

  constructor(options: WorkerWordsOptions) {
    this.#options = options
    this.#frames = new FrameDecoder(options.nonce, options.maxResponse, this)
    this.#stderr = new Capture(options.maxStderr)
  }

  /** Whether whoever answers there speaks FastCGI. */
  get spoken(): boolean {
    return this.#records.spoken
  }

  /** @returns what is wrong with the stream, from the first time on */
  take(chunk: Buffer): string | undefined {
    return this.#records.write(chunk)
  }

  /** What was written to stderr since the last time. */
  takeStderr(): Capture {
    const taken = this.#stderr
    if (!taken.isEmpty) this.#stderr = new Capture(this.#options.maxStderr)
    return taken
  }

  /** Nothing more comes. @returns what there is beside frames: stderr, or what was printed */
  close(): string {
    this.#frames.end()
    const stderr = this.#stderr.text().trim()
    return stderr === '' ? describe(this.#stray.bytes()) : stderr
  }

  stdout(piece: Buffer): void {
    this.#frames.write(piece)
  }

  stderr(piece: Buffer): void {
    this.#stderr.take(piece)
  }

  endRequest(): void {
    this.#options.onEnd()
  }

  frame(type: WorkerFrameType, sequence: number, content: Buffer, truncated: boolean): void {
    this.#options.onFrame(type, sequence, content, truncated)
  }

  stray(piece: Buffer): void {
    this.#stray.take(piece)
  }
}

/** Where it is an ordinary answer, as that of a script that does not speak the message stream. */
function describe(stray: Buffer): string {
  const head = parseResponseHead(stray)
  if (head === undefined) return stray.toString().trim()
  return `status ${head.status} ${stray.toString('utf8', head.bodyOffset).trim()}`.trim()
}
