import type { PoolAddress } from './address.ts'

/**
 * One FastCGI responder request (FastCGI 1.0, section 6.2). The params given here are sent after those the
 * client was configured with; where both name one, this one wins.
 */
export interface FastCgiRequest {
  readonly params: Readonly<Record<string, string>>
  /** The stdin stream, whole. CONTENT_LENGTH is set from it: php-fpm ignores a body without one. */
  readonly body: Uint8Array
  /**
   * Called once, when the last byte of the request has been handed to the socket: from here on the pool may
   * execute the script, whatever happens to this connection.
   */
  readonly onSent?: () => void
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

/** What the bridge needs of a pool. Implementations share nothing but this file. */
export interface FastCgiClient {
  /**
   * Has the pool execute one request.
   *
   * @throws {FastCgiError} and nothing else; its `phase` says whether the script can have run.
   */
  request(request: FastCgiRequest): Promise<FastCgiResponse>
  /**
   * Connects and disconnects without sending a byte, so that no script runs.
   *
   * @throws {FastCgiError} with phase `connect`
   */
  probe(): Promise<void>
}

/**
 * How far a failed request came, which is all that settlement may conclude from a failure:
 * - `connect`: no byte was sent, the script certainly did not run;
 * - `send`: the request was not handed over whole;
 * - `receive`: it was, and the script may have run.
 */
export type FastCgiPhase = 'connect' | 'send' | 'receive'

/** Stable names of what can go wrong; the operating system's own name is in `cause`. */
export type FastCgiErrorCode =
  | 'CONNECT_FAILED'
  | 'SEND_FAILED'
  | 'CONNECTION_LOST'
  | 'MALFORMED_ANSWER'
  | 'REQUEST_REFUSED'

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
