import type { Socket } from 'node:net'
import { BACKLOG_TIMEOUT, CONNECT_TIMEOUT, ConnectQueue } from './connect-queue.ts'
import { Connection } from './connection.ts'
import { Exchange } from './exchange.ts'
import { IdleConnections } from './idle-connections.ts'
import { PoolAcquaintance } from './pool-acquaintance.ts'
import { type EncodedRequest, RequestEncoder, type StreamedRequest } from './request.ts'
import { type EndCode, RequestAbort } from './request-abort.ts'
import { ReuseTrust } from './reuse-trust.ts'
import { connectPool, probePool } from './socket.ts'
import {
  type FastCgiClient,
  type FastCgiClientOptions,
  FastCgiError,
  type FastCgiRequest,
  type FastCgiResponse,
} from './types.ts'

export interface PoolClientOptions extends FastCgiClientOptions {
  /** Whether connections are used again; see IdleConnections for how long. */
  readonly keepAlive: boolean
  /** Milliseconds for a request as a whole, the wait for a connection included; 0 = no limit. */
  readonly timeout: number
  /** Requests before a connection is kept; 20 by default. See ReuseTrust. */
  readonly probation?: number
  /** The pool's `pm.status_path`, which tells what kind of pool it is. */
  readonly statusPath: string
}

/** Milliseconds without an answer on a new connection after which a request may be waiting for a child. */
const PATIENCE = 50
/** The FastCGI client of a daemon: each request ends, in time, with an answer or with what can be known instead. */
export class PoolClient implements FastCgiClient {
  readonly #options: PoolClientOptions
  readonly #encoder: RequestEncoder
  readonly #connector: ConnectQueue<Socket>
  readonly #kept: IdleConnections
  /** Requests on connections that have never answered, and when they were begun; the oldest first. */
  readonly #unaccepted = new Map<Exchange, number>()
  readonly #pool: PoolAcquaintance

  constructor(options: PoolClientOptions) {
    this.#options = options
    const { address, params, statusPath } = options
    // Over TCP an end says nothing about what was read: there it stays as the specification has it.
    this.#encoder = new RequestEncoder({ params, endOfStdin: address.kind === 'tcp' })
    this.#pool = new PoolAcquaintance(address, statusPath)
    this.#connector = new ConnectQueue({
      address,
      connect: connectPool,
      connectTimeout: CONNECT_TIMEOUT,
      backlogTimeout: BACKLOG_TIMEOUT,
      paced: () => this.#pool.mayGrow,
    })
    this.#kept = new IdleConnections({
      keepAlive: options.keepAlive,
      trust: new ReuseTrust(options.probation),
      childWanted: () => this.#connector.waiting || this.#isChildWanted(),
      onLetGo: () => this.#connector.vacate(),
    })
  }

  async probe(): Promise<void> {
    await probePool(this.#options.address, CONNECT_TIMEOUT)
    await this.#pool.meet()
  }

  async request(request: FastCgiRequest): Promise<FastCgiResponse> {
    this.#pool.lookAgain()
    const encoded = this.#encode(request)
    const { timeout } = this.#options
    const end = new RequestAbort()
    const cancel = (): void => end.end('CANCELLED')
    const timer = timeout === 0 ? undefined : setTimeout(() => end.end('TIMEOUT'), timeout)
    if (request.signal?.aborted) cancel()
    request.signal?.addEventListener('abort', cancel)
    try {
      return await this.#send(encoded, request, end)
    } finally {
      clearTimeout(timer)
      request.signal?.removeEventListener('abort', cancel)
    }
  }

  /** Closes kept connections and keeps no more; requests that are under way end as they would. Idempotent. */
  close(): void {
    this.#kept.close()
  }

  async #send(
    encoded: EncodedRequest | StreamedRequest,
    request: FastCgiRequest,
    end: RequestAbort,
  ): Promise<FastCgiResponse> {
    const { onSent = () => {}, fresh = false } = request
    const started = performance.now()
    // What takes several writes could have been read in part when a kept connection turns out to be closed: nobody would know.
    for (let mayKeep = encoded.isOneWrite && !fresh; ; mayKeep = false) {
      if (end.code !== undefined) throw this.#gaveUp(end.code)
      const kept = mayKeep ? this.#kept.take() : undefined
      const connection = kept ?? (await this.#connect(end))
      const reused = connection.requests > 0
      const connectMs = performance.now() - started
      const exchange = new Exchange(this.#options, connection.nextRequestId, started, connectMs)
      end.onEnd = () => {
        if (end.code !== undefined) exchange.fail(end.code, this.#explain(end.code))
        connection.destroy()
      }
      try {
        if (!reused) this.#unaccepted.set(exchange, performance.now())
        connection.send(exchange, encoded, this.#options.keepAlive, onSent)
        const response = await exchange.response
        this.#pool.noteAnswer()
        this.#kept.release(connection)
        return response
      } catch (error) {
        connection.destroy()
        if (reused && this.#wasClosedBefore(exchange, error)) continue
        if (exchange.spoken) this.#pool.noteAnswer()
        else if (end.code === undefined) await this.#pool.requireFastCgi(error)
        throw error
      } finally {
        end.onEnd = undefined
        this.#unaccepted.delete(exchange)
      }
    }
  }

  /**
   * Over TCP a quiet end before any answer is taken for that of a connection that php-fpm closed between two requests: at
   * pm.max_requests, or on a reload. A reset is another matter: so a killed child looks there. On a Unix socket the kernel
   * knows better, and the caller is told.
   */
  #wasClosedBefore(exchange: Exchange, error: unknown): boolean {
    return this.#options.address.kind === 'tcp' && !exchange.answering && isQuietClose(error)
  }

  async #connect(end: RequestAbort): Promise<Connection> {
    try {
      return new Connection(await this.#connector.open(end.signal), this.#options.address.kind)
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
  #encode({ params, body }: FastCgiRequest): EncodedRequest | StreamedRequest {
    try {
      return body instanceof Uint8Array
        ? this.#encoder.encode(params, body)
        : this.#encoder.stream(params, body)
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
}

function invalidRequest(cause: unknown): FastCgiError {
  return new FastCgiError('INVALID_REQUEST', 'connect', String(cause), { cause })
}

function isQuietClose(error: unknown): boolean {
  return error instanceof FastCgiError && (error.systemCode === 'EOF' || error.systemCode === 'EPIPE')
}
