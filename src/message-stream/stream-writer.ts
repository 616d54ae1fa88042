import { RecordType } from '../fastcgi/protocol.ts'
import type { ReadingSocket } from '../fastcgi/reading-socket.ts'
import { encodeHeader } from '../fastcgi/records.ts'
import type { EncodedRequest } from '../fastcgi/request.ts'
import { messageFrame, REQUEST_ID, resumeFrame } from './frames.ts'

/** What goes to the worker of one request. All of a turn of the event loop is one write. */
export class StreamWriter {
  readonly #socket: ReadingSocket
  #last: number | undefined
  #ended = false

  constructor(socket: ReadingSocket, request: EncodedRequest) {
    this.#socket = socket
    this.#write(request.toBuffers(REQUEST_ID, false), () => {})
  }

  /** The sequence number of the message behind which nothing was sent, if the last that was sent is one. */
  get last(): number | undefined {
    return this.#last
  }

  /** Whether something was sent that nobody has read. */
  get peerGone(): boolean {
    return this.#socket.peerGone
  }

  /** @param onSent called when all of it is in the socket, if it comes to that */
  message(
    sequence: number,
    params: Readonly<Record<string, string>>,
    body: Uint8Array,
    onSent: () => void,
  ): void {
    this.#last = sequence
    this.#write(messageFrame(sequence, params, body), () => this.#socket.peerGone || onSent())
  }

  resume(sequence: number): void {
    this.#last = undefined
    this.#write([resumeFrame(sequence)], () => {})
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
    this.#last = undefined
    const end = encodeHeader(RecordType.stdin, REQUEST_ID, 0)
    this.#write([Buffer.concat([end, end])], () => {})
  }

  /** A failed write comes as 'error', too. */
  #write(buffers: readonly Buffer[], done: () => void): void {
    this.#socket.cork()
    for (const [index, buffer] of buffers.entries()) {
      if (index < buffers.length - 1) this.#socket.write(buffer)
      else this.#socket.write(buffer, (error) => (error ? undefined : done()))
    }
    process.nextTick(() => this.#socket.uncork())
  }
}
