import type { PoolAddress } from '../fastcgi/address.ts'
import { RecordType } from '../fastcgi/protocol.ts'
import type { ReadingSocket } from '../fastcgi/reading-socket.ts'
import { encodeHeader } from '../fastcgi/records.ts'
import type { EncodedRequest } from '../fastcgi/request.ts'
import { systemCodeOf } from '../fastcgi/types.ts'
import { flushFrame, messageFrame, REQUEST_ID, resumeFrame } from './frames.ts'

export interface StreamConnectionOptions {
  readonly addressKind: PoolAddress['kind']
  readonly onData: (chunk: Buffer) => void
  /** May be called more than once. `how`: a name of the system's, or words. */
  readonly onLost: (how: string) => void
}

/** The connection that one request has to itself, and what goes to its worker. All of a turn of the event loop is one write. */
export class StreamConnection {
  readonly #socket: ReadingSocket
  readonly #addressKind: PoolAddress['kind']
  /** The sequence number of the message behind which nothing was sent, if the last that was sent is one. */
  #last: number | undefined
  #ended = false

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
    this.#last = sequence
    this.#write(messageFrame(sequence, params, body), () => this.#socket.peerGone || onSent())
  }

  resume(sequence: number): void {
    this.#last = undefined
    this.#write([resumeFrame(sequence)], () => {})
  }

  flush(): void {
    this.#last = undefined
    this.#write([flushFrame()], () => {})
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

  /**
   * Whether nobody has read a message that is lost with the connection. On a Unix socket the kernel says so, of what was sent last: see
   * Connection. That may be one that was given back meanwhile.
   */
  leftUnread(sequence: number, how: string): boolean {
    if (sequence !== this.#last || this.#addressKind !== 'unix') return false
    return how === 'ECONNRESET' || this.#socket.peerGone
  }

  /** @param idle whether nothing is on its way. Over TCP what lies unread there would be read after an orderly end, and executed */
  close(idle: boolean): void {
    if (this.#addressKind === 'tcp' && !idle) this.#socket.resetAndDestroy()
    else this.#socket.destroy()
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
