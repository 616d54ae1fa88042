import type { PoolAddress } from '../fastcgi/address.ts'
import { RecordType } from '../fastcgi/protocol.ts'
import type { ReadingSocket } from '../fastcgi/reading-socket.ts'
import { encodeHeader } from '../fastcgi/records.ts'
import { type EncodedRequest, stdinRecords } from '../fastcgi/request.ts'
import { systemCodeOf } from '../fastcgi/types.ts'
import { writeBuffers } from '../fastcgi/write-buffers.ts'
import { flushFrame, MAX_BUNDLE_BYTES, messageFrame, REQUEST_ID, recordOf, resumeFrame } from './frames.ts'

export interface StreamConnectionOptions {
  readonly addressKind: PoolAddress['kind']
  readonly onData: (chunk: Buffer) => void
  /** May be called more than once. `how`: a name of the system's, or words. */
  readonly onLost: (how: string) => void
}

/**
 * The connection that one request has to itself, and what goes to its worker. What comes of one event is one write, and its small frames
 * are one bundle.
 */
export class StreamConnection {
  readonly #socket: ReadingSocket
  readonly #addressKind: PoolAddress['kind']
  /** The first message of what was sent last, if that was messages: none of them is begun before the worker has read it all. */
  #firstOfLast = Number.POSITIVE_INFINITY
  #ended = false
  /** To be sent, with what is to be called when they are in the socket. */
  #frames: Buffer[] = []
  #frameBytes = 0
  #onWritten: (() => void)[] = []

  constructor(
    socket: ReadingSocket,
    request: EncodedRequest,
    { addressKind, onData, onLost }: StreamConnectionOptions,
  ) {
    this.#socket = socket
    this.#addressKind = addressKind
    socket.on('data', onData)
    socket.on('end', () => onLost('EOF'))
    socket.on('error', (error) => onLost(systemCodeOf(error) ?? error.message))
    socket.on('close', () => onLost('EOF'))
    this.#write(request.toBuffers(REQUEST_ID, false), () => {})
  }

  /** @param onSent called when all of it is in the socket, if it comes to that */
  message(
    sequence: number,
    params: Readonly<Record<string, string>>,
    body: Uint8Array,
    onSent: () => void,
  ): void {
    const [start, rest] = messageFrame(sequence, params, body)
    if (rest === undefined) {
      this.#add(start)
      if (this.#onWritten.length === 0) this.#firstOfLast = sequence
      this.#onWritten.push(onSent)
      return
    }
    this.#sendFrames()
    this.#firstOfLast = sequence
    const records = [...stdinRecords(REQUEST_ID, start), ...stdinRecords(REQUEST_ID, rest)]
    this.#write(records, () => this.#socket.peerGone || onSent())
  }

  resume(sequence: number): void {
    this.#add(resumeFrame(sequence))
    this.#firstOfLast = Number.POSITIVE_INFINITY
  }

  flush(): void {
    this.#add(flushFrame())
    this.#firstOfLast = Number.POSITIVE_INFINITY
  }

  /**
   * Nothing more comes. Idempotent.
   *
   * Of a body that the script has not read to its end php-fpm reads the rest, and goes on behind the first empty record if anything was
   * before it (sapi/fpm/fpm/fpm_main.c, sapi_cgi_read_post): so there are two.
   */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#sendFrames()
    this.#firstOfLast = Number.POSITIVE_INFINITY
    const end = encodeHeader(RecordType.stdin, REQUEST_ID, 0)
    this.#write([Buffer.concat([end, end])], () => {})
  }

  /**
   * Whether nobody has read a message that is lost with the connection. On a Unix socket the kernel says so, of what was sent last: see
   * lost-request.ts. That may be one that was given back meanwhile.
   */
  leftUnread(sequence: number, how: string): boolean {
    if (sequence < this.#firstOfLast || this.#addressKind !== 'unix') return false
    return how === 'ECONNRESET' || this.#socket.peerGone
  }

  /** @param idle whether nothing is on its way. Over TCP what lies unread there would be read after an orderly end, and executed */
  close(idle: boolean): void {
    if (this.#addressKind === 'tcp' && !idle) this.#socket.resetAndDestroy()
    else this.#socket.destroy()
  }

  #add(frame: Buffer): void {
    if (this.#frameBytes + frame.length > MAX_BUNDLE_BYTES) this.#sendFrames()
    if (this.#frames.length === 0) process.nextTick(() => this.#sendFrames())
    this.#frames.push(frame)
    this.#frameBytes += frame.length
  }

  #sendFrames(): void {
    if (this.#frames.length === 0) return
    const record = recordOf(this.#frames)
    const onWritten = this.#onWritten
    this.#frames = []
    this.#frameBytes = 0
    this.#onWritten = []
    this.#write([record], () => {
      for (const onSent of onWritten) if (!this.#socket.peerGone) onSent()
    })
  }

  #write(buffers: readonly Buffer[], done: () => void): void {
    this.#socket.cork()
    writeBuffers(this.#socket, buffers, done)
    process.nextTick(() => this.#socket.uncork())
  }
}
