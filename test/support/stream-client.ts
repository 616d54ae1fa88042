import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { parsePoolAddress, socketOptions } from '../../src/fastcgi/address.ts'
import { encodePairs } from '../../src/fastcgi/pairs.ts'
import { FIRST_REQUEST_ID, MAX_CONTENT_BYTES, RecordType } from '../../src/fastcgi/protocol.ts'
import { beginRequestBody, encodeHeader, RecordDecoder } from '../../src/fastcgi/records.ts'
import { parseResponseHead } from '../../src/fastcgi/response.ts'
import { FrameReader, frameToWorker, type WorkerFrame } from './stream-frames.ts'

export interface StreamOptions {
  readonly socket: string
  readonly script: string
  /** FPM_BRIDGE_LEASE, milliseconds; default one minute. */
  readonly lease?: number
  /** Over those of the request; undefined leaves one out. */
  readonly params?: Readonly<Record<string, string | undefined>>
}

/** What a message's head has beside what makes it one. */
export type MessageHead = Readonly<Record<string, string>>

/** An answer, as whoever reads the outcome table sees it. */
export interface StreamAnswer {
  readonly sequence: number
  readonly status: number
  readonly outcome: string | undefined
  readonly headers: ReadonlyMap<string, readonly string[]>
  readonly body: string
}

const NEVER_REACHED = String(2 ** 40)

const HEAD = {
  CONTENT_TYPE: 'application/json',
  AMQP_EXECUTION_ID: 'e6b1a1f2-0000-4000-8000-000000000001',
  AMQP_ATTEMPT: '1',
  AMQP_MAX_ATTEMPTS: '5',
}

/** One request that carries many messages, and nothing that a daemon would do about it: each step is the test's own. */
export class StreamClient {
  readonly nonce = randomBytes(16).toString('hex')
  readonly socket: Socket
  /** Resolves when the connection is closed, with why. */
  readonly closed: Promise<'ended' | 'lost'>
  /** What the script has written to stderr so far. */
  stderr = ''
  /** Number of the last message. */
  sequence = 0
  readonly #reader = new FrameReader(this.nonce)
  readonly #frames: WorkerFrame[] = []
  #wake: () => void = () => {}
  #isOver = false
  #isEnded = false

  constructor({ socket, script, lease = 60_000, params = {} }: StreamOptions) {
    this.socket = connect(socketOptions(parsePoolAddress(socket)))
    const decoder = new RecordDecoder(
      {
        stdout: (piece) => this.#frames.push(...this.#reader.take(Buffer.from(piece))),
        stderr: (piece) => {
          this.stderr += piece.toString()
        },
        endRequest: () => {
          this.#isEnded = true
        },
      },
      FIRST_REQUEST_ID,
    )
    this.socket
      .on('error', () => {})
      .on('data', (chunk) => {
        decoder.write(chunk as Buffer)
        if (this.#isEnded) this.socket.destroy()
        this.#wake()
      })
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.#isOver = true
        this.#wake()
        resolve(this.#isEnded ? 'ended' : 'lost')
      })
    })
    const all = {
      REQUEST_METHOD: 'PUT',
      CONTENT_LENGTH: NEVER_REACHED,
      CONTENT_TYPE: 'application/octet-stream',
      SCRIPT_FILENAME: script,
      AMQP_DAEMON_ID: 'D-1f3a9c02',
      AMQP_QUEUE: 'commands',
      FPM_BRIDGE_STREAM: '1',
      FPM_BRIDGE_NONCE: this.nonce,
      FPM_BRIDGE_LEASE: String(lease),
      ...params,
    }
    const given = Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined)
    const contents = encodePairs(Object.fromEntries(given))
    this.#record(RecordType.beginRequest, beginRequestBody(false))
    for (const content of [...contents, Buffer.alloc(0)]) this.#record(RecordType.params, content)
  }

  /** What no frame was: the CGI header block, and what others have printed. */
  get between(): string {
    return this.#reader.between
  }

  /** Sends bytes of stdin, as they are. */
  send(bytes: Buffer): void {
    for (let offset = 0; offset < bytes.length; offset += MAX_CONTENT_BYTES) {
      this.#record(RecordType.stdin, bytes.subarray(offset, offset + MAX_CONTENT_BYTES))
    }
  }

  /** Sends the next message: JSON of the body, unless it is a string. */
  message(body: unknown, head: MessageHead = {}): void {
    this.send(this.#frameOf(body, head))
  }

  /** Sends several messages at once. */
  bundle(...bodies: unknown[]): void {
    const frames = bodies.map((body) => this.#frameOf(body))
    this.send(frameToWorker('B', 0, '', Buffer.concat(frames)))
  }

  resume(sequence: number): void {
    this.send(frameToWorker('R', sequence))
  }

  /** No more messages for now. */
  flush(): void {
    this.send(frameToWorker('F', 0))
  }

  /** No more messages: the empty stdin record. */
  end(): void {
    this.#record(RecordType.stdin, Buffer.alloc(0))
  }

  /** The next frame; undefined when the connection is closed, and there is none. */
  async frame(): Promise<WorkerFrame | undefined> {
    while (this.#frames.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.#frames.shift()
  }

  /** All frames that still come. */
  async rest(): Promise<WorkerFrame[]> {
    const frames: WorkerFrame[] = []
    for (let next = await this.frame(); next !== undefined; next = await this.frame()) frames.push(next)
    return frames
  }

  /** @throws when the next frame is another */
  async expect(type: WorkerFrame['type'], sequence: number): Promise<string> {
    const frame = await this.frame()
    if (frame?.type !== type || frame.sequence !== sequence) {
      const what = frame === undefined ? 'the end of the connection' : `${frame.type} ${frame.sequence}`
      throw new Error(`${what} in place of ${type} ${sequence}: ${this.stderr}${this.between}`)
    }
    return frame.content.toString()
  }

  /** @throws when the next frame is no answer to that message, by default the last one */
  async answer(sequence = this.sequence): Promise<StreamAnswer> {
    const content = Buffer.from(await this.expect('answer', sequence))
    const head = parseResponseHead(content)
    if (head === undefined) throw new Error(`no CGI response: ${content}`)
    const outcome = head.headers.get('x-bridge-outcome')?.[0]
    const body = content.toString('utf8', head.bodyOffset)
    return { sequence, status: head.status, outcome, headers: head.headers, body }
  }

  /** Sends a message, and awaits its answer. */
  async ask(body: unknown, head: MessageHead = {}): Promise<StreamAnswer> {
    this.message(body, head)
    return this.answer()
  }

  /** Ends the connection without a word. Idempotent. */
  close(): void {
    this.socket.destroy()
  }

  #frameOf(body: unknown, head: MessageHead = {}): Buffer {
    this.sequence += 1
    const bytes = typeof body === 'string' ? body : JSON.stringify(body)
    return frameToWorker('M', this.sequence, JSON.stringify({ ...HEAD, ...head }), bytes)
  }

  #record(type: RecordType, content: Uint8Array): void {
    this.socket.write(Buffer.concat([encodeHeader(type, FIRST_REQUEST_ID, content.length), content]))
  }
}
