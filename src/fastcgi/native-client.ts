import {
  type FastCgiClient,
  type FastCgiClientOptions,
  FastCgiError,
  type FastCgiRequest,
  type FastCgiResponse,
} from './client.ts'
import { probePool } from './connect.ts'
import { Connection, type FastCgiMessage } from './connection.ts'
import { Connector } from './connector.ts'
import { type EndCode, Ending } from './ending.ts'
import { Exchange } from './exchange.ts'
import { KeptConnections } from './kept-connections.ts'
import { learnPoolKind, type PoolKind } from './pool-status.ts'
import { RequestEncoder, streamStdin } from './request.ts'

export interface NativeClientOptions extends FastCgiClientOptions {
  /** Whether connections are used again; see KeptConnections for how long. */
  readonly keepAlive: boolean
  /** Milliseconds for a request as a whole, the wait for a connection included; 0 = no limit. */
  readonly timeout: number
  /** The pool's `pm.status_path`, which tells what kind of pool it is. */
  readonly statusPath: string
}

/** Milliseconds until a connect that nobody answers has failed (TCP; a Unix socket answers at once). */
const CONNECT_TIMEOUT = 5_000
/** Milliseconds of nothing but EAGAIN after which a request fails: php-fpm may have hung. */
const BACKLOG_TIMEOUT = 30_000
/** Milliseconds without an answer on a new connection after which a request may be waiting for a child. */
const PATIENCE = 50
/** Milliseconds that the status page gets: a child serves it, and all may be busy. */
const STATUS_TIMEOUT = 1_000
/** Milliseconds between two looks at the status page while the pool's kind is unknown. */
const STATUS_INTERVAL = 10_000

/** The FastCGI client of a daemon: each request ends, in time, with an answer or with what can be known instead. */
export class NativeClient implements FastCgiClient {
  readonly #options: NativeClientOptions
  readonly #encoder: RequestEncoder
  readonly #connector: Connector
  readonly #kept: KeptConnections
  /** Requests on connections that have never answered, and when they were begun; the oldest first. */
  readonly #unaccepted = new Map<Exchange, number>()
  #poolKind: PoolKind | undefined
  #kindAskedAt = Number.NEGATIVE_INFINITY

  constructor(options: NativeClientOptions) {
    this.#options = options
    this.#encoder = new RequestEncoder(options.params)
    this.#connector = new Connector({
      address: options.address,
      connectTimeout: CONNECT_TIMEOUT,
      backlogTimeout: BACKLOG_TIMEOUT,
      paced: () => this.#poolKind !== 'static' && this.#poolKind !== 'dynamic',
    })
    this.#kept = new KeptConnections({
      keepAlive: options.keepAlive,
      childWanted: () => this.#connector.waiting || this.#isChildWanted(),
      onLetGo: () => this.#connector.vacate(),
    })
  }

  async probe(): Promise<void> {
    await probePool(this.#options.address, CONNECT_TIMEOUT)
    this.#askForKind()
  }

  async request(request: FastCgiRequest): Promise<FastCgiResponse> {
    this.#askForKind()
    const message = this.#encode(request)
    const { timeout } = this.#options
    const end = new Ending()
    const cancel = (): void => end.end('CANCELLED')
    const timer = timeout === 0 ? undefined : setTimeout(() => end.end('TIMEOUT'), timeout)
    if (request.signal?.aborted) cancel()
    request.signal?.addEventListener('abort', cancel)
    try {
      return await this.#converse(message, request, end)
    } finally {
      clearTimeout(timer)
      request.signal?.removeEventListener('abort', cancel)
    }
  }

  /** Closes kept connections and keeps no more; requests that are under way end as they would. Idempotent. */
  close(): void {
    this.#kept.close()
  }

  async #converse(message: FastCgiMessage, request: FastCgiRequest, end: Ending): Promise<FastCgiResponse> {
    const onSent = once(request.onSent)
    const started = performance.now()
    for (;;) {
      if (end.code !== undefined) throw this.#gaveUp(end.code)
      // A body that comes in pieces could not be sent once more if a kept connection turned out to be closed.
      const kept = request.body instanceof Uint8Array ? this.#kept.take() : undefined
      const connection = kept ?? (await this.#connect(end))
      const reused = connection.requests > 0
      const exchange = new Exchange(this.#options, started, performance.now() - started)
      end.onEnd = () => {
        if (end.code !== undefined) exchange.fail(end.code, this.#explain(end.code))
        connection.destroy()
      }
      try {
        if (!reused) this.#unaccepted.set(exchange, performance.now())
        connection.send(exchange, message, onSent)
        const response = await exchange.response
        this.#kept.release(connection)
        return response
      } catch (error) {
        connection.destroy()
        // php-fpm has closed the connection between two requests: at pm.max_requests, or on a reload. A reset is
        // another matter: that is how a killed child looks.
        if (!reused || exchange.answering || !isQuietClose(error)) throw error
      } finally {
        end.onEnd = undefined
        this.#unaccepted.delete(exchange)
      }
    }
  }

  async #connect(end: Ending): Promise<Connection> {
    try {
      return new Connection(await this.#connector.open(end.signal))
    } catch (error) {
      throw end.code === undefined ? error : this.#gaveUp(end.code)
    }
  }

  #gaveUp(code: EndCode): FastCgiError {
    return new FastCgiError(code, 'connect', this.#explain(code))
  }

  #explain(code: EndCode): string {
    return code === 'TIMEOUT'
      ? `no complete answer within ${this.#options.timeout} ms`
      : 'the request was cancelled'
  }

  /** @throws {FastCgiError} INVALID_REQUEST */
  #encode({ params, body }: FastCgiRequest): FastCgiMessage {
    const { keepAlive } = this.#options
    // Not a spread: Node.js 20 would make a hidden class anew for each request.
    const all = Object.assign({}, params, { CONTENT_LENGTH: String(body.length) })
    try {
      if (body instanceof Uint8Array) return this.#encoder.encode(all, body, keepAlive)
      return streamStdin(this.#encoder.head(all, keepAlive), body.pieces)
    } catch (error) {
      throw invalidRequest(error)
    }
  }

  /**
   * Connected is not accepted: a request may wait in the pool's backlog while children are held by connections of ours
   * that others use again and again, or nobody.
   */
  #isChildWanted(): boolean {
    for (const [exchange, since] of this.#unaccepted) {
      if (!exchange.answering) return performance.now() - since > PATIENCE
    }
    return false
  }

  /** In the background: no request waits for it. */
  #askForKind(): void {
    const now = performance.now()
    if (this.#poolKind !== undefined || now - this.#kindAskedAt < STATUS_INTERVAL) return
    this.#kindAskedAt = now
    const { address, statusPath } = this.#options
    void learnPoolKind(address, statusPath, STATUS_TIMEOUT).then((kind) => {
      this.#poolKind = kind
    })
  }
}

/** A request that is sent once more has been sent all the same. */
function once(callback: () => void = () => {}): () => void {
  let called = false
  return () => {
    if (!called) callback()
    called = true
  }
}

function invalidRequest(cause: unknown): FastCgiError {
  return new FastCgiError('INVALID_REQUEST', 'connect', String(cause), { cause })
}

function isQuietClose(error: unknown): boolean {
  return error instanceof FastCgiError && (error.systemCode === 'EOF' || error.systemCode === 'EPIPE')
}
