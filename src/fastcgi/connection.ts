import type { Socket } from 'node:net'
import type { Exchange } from './exchange.ts'

/** A request in buffers to write: all at once, or in batches. */
export type FastCgiMessage = readonly Buffer[] | AsyncIterable<readonly Buffer[]>

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'busy'; readonly exchange: Exchange; sent: boolean }
  | { readonly kind: 'closed' }

/**
 * One socket, with one request on it at a time. Whatever ends the socket ends the exchange on it; an answer that
 * is complete ends the exchange, and leaves the socket to its owner.
 */
export class Connection {
  readonly openedAt = performance.now()
  readonly #socket: Socket
  #state: State = { kind: 'idle' }
  #requests = 0

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => this.#receive(chunk))
    // php-fpm closes without a word: at pm.max_requests, on a reload, when a script is cut off.
    socket.on('end', () => this.#lose())
    socket.on('error', (error) => this.#lose(error))
    socket.on('close', () => this.#lose())
  }

  /** Requests begun on it so far. */
  get requests(): number {
    return this.#requests
  }

  /** Open, with nothing left of the last request: neither of its answer nor of what was sent. */
  get usable(): boolean {
    return (
      this.#state.kind === 'idle' ||
      (this.#state.kind === 'busy' && this.#state.exchange.ended && this.#state.sent)
    )
  }

  /**
   * Sends a request; the exchange ends with the answer. Only on a usable connection.
   *
   * @param message the request, or batches of it: the next one is asked for when the socket has taken the last
   * @param onSent called when the last byte is in the socket, if it comes to that
   */
  send(exchange: Exchange, message: FastCgiMessage, onSent: () => void): void {
    this.#requests += 1
    if (this.#state.kind === 'closed') {
      loseExchange(exchange, endOfFile())
      return
    }
    this.#state = { kind: 'busy', exchange, sent: false }
    if (Symbol.asyncIterator in message) {
      this.#sendBatches(exchange, message, onSent).catch((error: unknown) =>
        exchange.fail('SEND_FAILED', `the body broke off: ${String(error)}`, error),
      )
    } else this.#write(message, () => this.#finish(exchange, onSent))
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
    for (const [index, buffer] of buffers.entries()) {
      if (index < buffers.length - 1) this.#socket.write(buffer)
      // A failed write comes as 'error', too.
      else this.#socket.write(buffer, (error) => (error ? undefined : done()))
    }
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
    // What nobody asked for, and what follows an answer: the next answer could not be told from it.
    if (!expected) this.destroy()
  }

  /** An Error costs several microseconds for its stack: there is one only where an exchange ends by it. */
  #lose(cause?: Error): void {
    if (this.#state.kind === 'busy' && !this.#state.exchange.ended) {
      loseExchange(this.#state.exchange, cause ?? endOfFile())
    }
    this.#state = { kind: 'closed' }
  }
}

function loseExchange(exchange: Exchange, cause: Error): void {
  exchange.fail(exchange.sent ? 'CONNECTION_LOST' : 'SEND_FAILED', describeLoss(cause), cause)
}

function describeLoss(cause: Error): string {
  return `the connection ended before the answer was complete: ${'code' in cause ? cause.code : cause.message}`
}

function endOfFile(): Error {
  return Object.assign(new Error('the pool closed the connection'), { code: 'EOF' })
}
