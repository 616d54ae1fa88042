import { Capture } from './capture.ts'
import { REQUEST_COMPLETE } from './protocol.ts'
import { RecordDecoder, type RecordSink } from './records.ts'
import { parseResponseHead } from './response.ts'
import {
  FastCgiError,
  type FastCgiErrorCode,
  type FastCgiPhase,
  type FastCgiResponse,
  type FastCgiTimings,
} from './types.ts'

export interface ExchangeLimits {
  /** Bytes of stdout kept. */
  readonly maxResponse: number
  /** Bytes of stderr kept. */
  readonly maxStderr: number
}

/** One request on its way: takes in what the socket says and ends, once, with a response or an error. */
export class Exchange implements RecordSink {
  readonly response: Promise<FastCgiResponse>
  /** Of this request on its connection. */
  readonly requestId: number
  readonly #decoder: RecordDecoder
  readonly #stdout: Capture
  readonly #stderr: Capture
  readonly #started: number
  readonly #connectMs: number
  #resolve: (response: FastCgiResponse) => void = () => {}
  #reject: (error: FastCgiError) => void = () => {}
  #firstByteAt: number | undefined
  #sent = false
  #ended = false

  /**
   * @param requestId see Connection.nextRequestId
   * @param started when the request was asked for; `connectMs` of it went into the connection
   */
  constructor(limits: ExchangeLimits, requestId: number, started: number, connectMs: number) {
    this.requestId = requestId
    this.#decoder = new RecordDecoder(this, requestId)
    this.#stdout = new Capture(limits.maxResponse)
    this.#stderr = new Capture(limits.maxStderr)
    this.#started = started
    this.#connectMs = connectMs
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Whether any byte of its answer has come. */
  get answering(): boolean {
    return this.#decoder.begun
  }

  /** Whether what has come of it is FastCGI. */
  get spoken(): boolean {
    return this.#decoder.spoken
  }

  /** Whether the child has sent more for an earlier request on the connection: it went on after its answer. */
  get lateRecords(): boolean {
    return this.#decoder.lateRecords
  }

  get sent(): boolean {
    return this.#sent
  }

  /** The last byte of the request is in the socket. */
  markSent(): void {
    this.#sent = true
  }

  /**
   * Bytes of the answer.
   *
   * @returns false when they are no answer, or more than one: nothing that follows can be understood
   */
  receive(chunk: Buffer): boolean {
    const fault = this.#decoder.write(chunk)
    if (this.#decoder.begun) this.#firstByteAt ??= performance.now()
    if (fault === undefined) return true
    this.fail('MALFORMED_ANSWER', `the pool does not answer in FastCGI: ${fault}`)
    return false
  }

  stdout(piece: Buffer): void {
    this.#stdout.take(piece)
  }

  stderr(piece: Buffer): void {
    this.#stderr.take(piece)
  }

  endRequest(appStatus: number, protocolStatus: number): void {
    if (protocolStatus !== REQUEST_COMPLETE) {
      this.fail('REQUEST_REFUSED', `the pool refused the request with protocolStatus ${protocolStatus}`)
      return
    }
    const output = this.#stdout.bytes()
    if (output.length === 0) {
      // php-fpm ends like this what it will not run: no REQUEST_METHOD, a second request on one connection.
      this.fail('EMPTY_ANSWER', 'the pool ended the request without an answer; the script was not run')
      return
    }
    const head = parseResponseHead(output)
    if (head === undefined) {
      this.fail('MALFORMED_ANSWER', 'the answer has no complete CGI header block')
      return
    }
    this.#ended = true
    this.#resolve({
      status: head.status,
      headers: head.headers,
      body: output.subarray(head.bodyOffset),
      bodyTruncated: this.#stdout.truncated,
      stderr: this.#stderr.text(),
      stderrTruncated: this.#stderr.truncated,
      appStatus,
      timings: this.#timings(),
    })
  }

  /**
   * Ends without a response; a second end changes nothing.
   *
   * @param phase what is known of how far the pool came; without it, how far we came
   */
  fail(
    code: FastCgiErrorCode,
    message: string,
    cause?: unknown,
    phase: FastCgiPhase = this.#sent || this.answering ? 'receive' : 'send',
  ): void {
    if (this.#ended) return
    this.#ended = true
    this.#reject(new FastCgiError(code, phase, message, { cause }))
  }

  #timings(): FastCgiTimings {
    const now = performance.now()
    return {
      connect: this.#connectMs,
      firstByte: (this.#firstByteAt ?? now) - this.#started,
      total: now - this.#started,
    }
  }
}
