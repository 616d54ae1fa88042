import type { PoolAddress } from './address.ts'

/** The stdin stream: whole, or in pieces with its length known beforehand. */
export type FastCgiBody = Uint8Array | { readonly length: number; readonly pieces: AsyncIterable<Uint8Array> }

/** One FastCGI responder request (FastCGI 1.0, section 6.2). */
export interface FastCgiRequest {
  /**
   * Sent after the params the client was configured with; php-fpm takes the last of two with one name.
   * CONTENT_LENGTH is set from the body: php-fpm reads no further than that, and waits when there is less.
   */
  readonly params: Readonly<Record<string, string>>
  readonly body: FastCgiBody
  /**
   * Called when the last byte of the request has been handed to the socket: from here on the pool may execute the script,
   * whatever happens to this connection. Called again where the request has to be sent once more, on another one.
   */
  readonly onSent?: () => void
  /** Whether it must have a new connection to itself: one that was kept has just turned out to be closed. */
  readonly fresh?: boolean
  /** Cancels: closes the socket. php-fpm ends the script at its next output, or never. */
  readonly signal?: AbortSignal
}

/** Milliseconds since the request was asked for; `connect` is what of them went into a connection. */
export interface FastCgiTimings {
  readonly connect: number
  readonly firstByte: number
  readonly total: number
}

/** A complete answer: endRequest has arrived. */
export interface FastCgiResponse {
  /** From the `Status` header; 200 when there is none (RFC 3875, section 6.3.3). NaN when it cannot be read. */
  readonly status: number
  /** Names in lower case; a name that came several times has several values, in their order. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  /** At most `maxResponse` bytes, the headers' included; the rest was read and dropped. */
  readonly body: Buffer
  readonly bodyTruncated: boolean
  /** What the script and php-fpm wrote as stderr records; at most `maxStderr` bytes of it. */
  readonly stderr: string
  readonly stderrTruncated: boolean
  /** What the application says of itself; php-fpm always says 0, even after `exit(3)`. */
  readonly appStatus: number
  readonly timings: FastCgiTimings
}

export interface FastCgiClientOptions {
  readonly address: PoolAddress
  /** Sent with every request. */
  readonly params: Readonly<Record<string, string>>
  /** Bytes of stdout kept per answer. */
  readonly maxResponse: number
  /** Bytes of stderr kept per answer. */
  readonly maxStderr: number
}

/** Where a client takes no more requests at a time than it has room for. */
export interface Room {
  /** Requests of ours at a time for each of the bridge's slots, at most. */
  readonly perSlot: number
  /** Whether one more would be sent soon. */
  readonly isThere: boolean
  /** @param wake called when there may be some again */
  open(wake: () => void): void
}

/** What the bridge needs of a pool. Implementations share nothing but this file. */
export interface FastCgiClient {
  /** Undefined where it takes as many requests as come. */
  readonly room?: Room
  /**
   * Has the pool execute one request.
   *
   * @throws {FastCgiError} and nothing else; its `phase` says whether the script can have run.
   */
  request(request: FastCgiRequest): Promise<FastCgiResponse>
  /**
   * Connects and disconnects without sending a byte, so that no script runs. As long as nobody there has answered in
   * FastCGI, it asks for php-fpm's status page.
   *
   * @throws {FastCgiError} with phase `connect`
   */
  probe(): Promise<void>
  /** Closes what is kept open between requests. Idempotent. */
  close(): void
}

/**
 * How far a failed request came, which is all that settlement may conclude from a failure:
 * - `connect`: no byte was sent, the script certainly did not run;
 * - `unread`: the pool closed the connection before it had read the request. The script did not run, unless it is one that
 *   does not wait for its body (`enable_post_data_reading=0`);
 * - `send`: it was not read whole, or not handed over whole. A body beyond one write: a script may have begun on a part;
 * - `receive`: it was, or an answer had begun: the script may have run.
 */
export type FastCgiPhase = 'connect' | 'unread' | 'send' | 'receive'

/**
 * Stable names of what can go wrong; the operating system's own name is in `cause`.
 * - `CONNECT_FAILED`: no connection (ENOENT, ECONNREFUSED, EACCES, a backlog that stays full, no answer in time);
 * - `NO_HELLO`: the script does not speak the message stream, or takes no message; none was executed;
 * - `NO_FASTCGI`: whoever listens there has never answered in FastCGI, to nobody: nothing can have run;
 * - `NOT_READ`, `SEND_FAILED`, `CONNECTION_LOST`: the connection ended before the request was read, before it was sent, or
 *   before endRequest came;
 * - `TIMEOUT`, `CANCELLED`: we closed the connection;
 * - `REQUEST_REFUSED`, `EMPTY_ANSWER`: endRequest came, and the script was not run;
 * - `MALFORMED_ANSWER`: something came that is no FastCGI answer;
 * - `INVALID_REQUEST`: a param fits into no record.
 */
export type FastCgiErrorCode =
  | 'CONNECT_FAILED'
  | 'NO_FASTCGI'
  | 'NO_HELLO'
  | 'NOT_READ'
  | 'SEND_FAILED'
  | 'CONNECTION_LOST'
  | 'TIMEOUT'
  | 'CANCELLED'
  | 'REQUEST_REFUSED'
  | 'EMPTY_ANSWER'
  | 'MALFORMED_ANSWER'
  | 'INVALID_REQUEST'

/** The one error of this folder. */
export class FastCgiError extends Error {
  override readonly name = 'FastCgiError'
  readonly code: FastCgiErrorCode
  readonly phase: FastCgiPhase

  constructor(code: FastCgiErrorCode, phase: FastCgiPhase, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.phase = phase
  }

  /** The operating system's name for the failure, such as `ENOENT`, where there is one. */
  get systemCode(): string | undefined {
    return systemCodeOf(this.cause)
  }
}

/** The `code` of a Node.js system error, `undefined` for anything else. */
export function systemCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
