import type { Socket } from 'node:net'
import type { PoolAddress } from './address.ts'
import type { Exchange } from './exchange.ts'
import { failLost } from './lost-request.ts'
import { FIRST_REQUEST_ID, RecordType } from './protocol.ts'
import { encodeHeader } from './records.ts'
import type { EncodedRequest, StreamedRequest } from './request.ts'
import { writeBuffers } from './write-buffers.ts'

type State =
  | { readonly kind: 'idle' }
  /** `oneWrite`: see RequestOnItsWay. */
  | { readonly kind: 'busy'; readonly exchange: Exchange; readonly oneWrite: boolean; sent: boolean }
  | { readonly kind: 'closed' }

/**
 * One socket, with one request on it at a time. Whatever ends the socket ends the exchange on it; an answer that
 * is complete ends the exchange, and leaves the socket to its owner.
 */
export class Connection {
  readonly openedAt = performance.now()
  readonly #socket: Socket
  readonly #kind: PoolAddress['kind']
  #state: State = { kind: 'idle' }
  #requests = 0
  #wentOn = false
  /** Called once, when the other side has ended or the socket is closed. */
  onClosed: (() => void) | undefined

  constructor(socket: Socket, kind: PoolAddress['kind']) {
    this.#socket = socket
    this.#kind = kind
    socket.on('data', (chunk) => this.#receive(chunk))
    socket.on('end', () => this.#endOfFile())
    socket.on('error', (error) => this.#lose(error))
    socket.on('close', () => this.#lose())
  }

  /** Requests begun on it so far. */
  get requests(): number {
    return this.#requests
  }

  get closed(): boolean {
    return this.#state.kind === 'closed'
  }

  /** Whether the child has sent more after one of its answers. */
  get wentOn(): boolean {
    return this.#wentOn
  }

  /** For the exchange that is sent next. */
  get nextRequestId(): number {
    return this.#requests + FIRST_REQUEST_ID
  }

  /** Open, with nothing left of the last request: neither of its answer nor of what was sent. */
  get usable(): boolean {
    if (this.#state.kind !== 'busy') return this.#state.kind === 'idle'
    const { exchange, sent } = this.#state
    return exchange.ended && sent && !this.#wentOn
  }

  /**
   * Sends a request; the exchange ends with the answer. Only on a usable connection.
   *
   * @param request if it is streamed, its next batch is asked for when the socket has taken the last
   * @param keepConn whether the pool is to leave the connection open afterwards
   * @param onSent called when the last byte is in the socket, if it comes to that
   */
  send(
    exchange: Exchange,
    request: EncodedRequest | StreamedRequest,
    keepConn: boolean,
    onSent: () => void,
  ): void {
    this.#requests += 1
    if (this.#state.kind === 'closed') {
      this.#state = { kind: 'busy', exchange, oneWrite: true, sent: false }
      this.#lose(systemError('EPIPE'))
      return
    }
    this.#state = { kind: 'busy', exchange, oneWrite: request.isOneWrite, sent: false }
    if ('toBatches' in request) {
      this.#sendBatches(exchange, request.toBatches(exchange.requestId, keepConn), onSent).catch(
        (error: unknown) => exchange.fail('SEND_FAILED', `the body broke off: ${String(error)}`, error),
      )
      return
    }
    this.#write(request.toBuffers(exchange.requestId, keepConn), () => this.#finish(exchange, onSent))
  }

  /**
   * php-fpm closes without a word: at pm.max_requests, on a reload, when a script is cut off. At pm.max_requests it first ends its
   * own side, and then reads and drops what still comes, until we have closed, too (main/fastcgi.c, fcgi_close): a request that
   * came too late for that connection disappears there, and did not run. Only then is somebody there who takes more bytes.
   */
  #endOfFile(): void {
    const state = this.#state
    if (this.#kind === 'tcp' || state.kind !== 'busy' || state.exchange.ended || state.exchange.answering) {
      this.destroy()
      return
    }
    this.#socket.write(encodeHeader(RecordType.stdin, state.exchange.requestId, 0), (error) => {
      if (!error) this.#lose(systemError('EPIPE'))
      this.destroy()
    })
  }

  /** Nothing more will be sent on it; its exchange has ended. */
  endOurSide(): void {
    this.#socket.end()
  }

  /** Closes the socket; an exchange on it must have ended, or ends as lost. Idempotent. */
  destroy(): void {
    this.#socket.destroy()
    this.#lose()
  }

  async #sendBatches(
    exchange: Exchange,
    batches: AsyncIterable<readonly Buffer[]>,
    onSent: () => void,
  ): Promise<void> {
    for await (const batch of batches) {
      // An answer can end early, and the socket with it.
      if (exchange.ended) return
      await new Promise<void>((resolve) => {
        this.#socket.once('close', resolve)
        this.#write(batch, () => {
          this.#socket.off('close', resolve)
          resolve()
        })
      })
    }
    this.#finish(exchange, onSent)
  }

  #write(buffers: readonly Buffer[], done: () => void): void {
    this.#socket.cork()
    writeBuffers(this.#socket, buffers, done)
    this.#socket.uncork()
  }

  #finish(exchange: Exchange, onSent: () => void): void {
    if (this.#state.kind !== 'busy' || this.#state.exchange !== exchange) return
    this.#state.sent = true
    if (exchange.ended) return
    exchange.markSent()
    onSent()
  }

  #receive(chunk: Buffer): void {
    const exchange = this.#state.kind === 'busy' ? this.#state.exchange : undefined
    const expected = exchange !== undefined && !exchange.ended && exchange.receive(chunk)
    if (!expected || exchange.lateRecords) this.#wentOn = true
    // What nobody asked for, and what follows an answer: the next answer could not be told from it.
    if (!expected) this.destroy()
  }

  /** An Error costs several microseconds for its stack: there is one only where an exchange ends by it. */
  #lose(cause?: Error): void {
    const state = this.#state
    this.#state = { kind: 'closed' }
    const { onClosed } = this
    this.onClosed = undefined
    onClosed?.()
    if (state.kind !== 'busy' || state.exchange.ended) return
    failLost({ ...state, addressKind: this.#kind }, cause ?? systemError('EOF'))
  }
}

function systemError(code: 'EOF' | 'EPIPE'): Error {
  return Object.assign(new Error('the pool closed the connection'), { code })
}
