import type { Capture } from '../fastcgi/capture.ts'
import { parseResponseHead, type ResponseHead } from '../fastcgi/response.ts'
import { FastCgiError, type FastCgiRequest, type FastCgiResponse } from '../fastcgi/types.ts'

/** What a worker has answered. */
export interface Answer {
  /** A CGI response, as long as it is valid. */
  readonly content: Buffer
  readonly truncated: boolean
  /** Since the answer before it. */
  readonly stderr: Capture
}

/** One message that somebody waits for the answer to: in no stream yet, or in one, and perhaps in another after that. */
export class Message {
  readonly request: FastCgiRequest
  readonly body: Uint8Array
  readonly answer: Promise<FastCgiResponse>
  readonly askedAt = performance.now()
  #sentAt = 0
  #sequence = 0
  #refusals = 0
  #resolve: (response: FastCgiResponse) => void = () => {}
  #reject: (error: FastCgiError) => void = () => {}

  /** @param body that of the request */
  constructor(request: FastCgiRequest, body: Uint8Array) {
    this.request = request
    this.body = body
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** When its frame went into the stream that it is in. */
  get sentAt(): number {
    return this.#sentAt
  }

  /** In that stream. */
  get sequence(): number {
    return this.#sequence
  }

  /** It is in a stream, or in another one. */
  enter(sequence: number, now: number): void {
    this.#sequence = sequence
    this.#sentAt = now
  }

  /** A worker has taken no more when this was the next one. @returns how often that has happened */
  refused(): number {
    this.#refusals += 1
    return this.#refusals
  }

  conclude({ content, truncated, stderr }: Answer): void {
    const head = headOf(content)
    if (head === undefined) {
      this.fail(
        new FastCgiError('MALFORMED_ANSWER', 'receive', 'the answer has no complete CGI header block'),
      )
      return
    }
    const now = performance.now()
    this.#resolve({
      status: head.status,
      headers: head.headers,
      // The content is overwritten by whatever is read next.
      body: Buffer.from(content.subarray(head.bodyOffset)),
      bodyTruncated: truncated,
      stderr: stderr.text(),
      stderrTruncated: stderr.truncated,
      appStatus: 0,
      timings: {
        connect: this.#sentAt - this.askedAt,
        firstByte: now - this.askedAt,
        total: now - this.askedAt,
      },
    })
  }

  /** @param how its worker went */
  failLost(how: string): void {
    this.fail(
      new FastCgiError('CONNECTION_LOST', 'receive', `the worker was gone before it had answered: ${how}`),
    )
  }

  failUnread(how: string): void {
    this.fail(
      new FastCgiError('NOT_READ', 'unread', `the worker was gone before it read the message (${how})`),
    )
  }

  /** @param timeout milliseconds */
  failLate(timeout: number): void {
    this.fail(new FastCgiError('TIMEOUT', 'receive', `no complete answer within ${timeout} ms`))
  }

  fail(error: FastCgiError): void {
    this.#reject(error)
  }
}

/** Most answers are the same few bytes, and so is their head: it is not read again. */
const SAME_HEAD_BYTES = 256
let lastContent = ''
let lastHead: ResponseHead | undefined

function headOf(content: Buffer): ResponseHead | undefined {
  if (content.length > SAME_HEAD_BYTES) return parseResponseHead(content)
  const text = content.toString('latin1')
  if (text !== lastContent) {
    lastContent = text
    lastHead = parseResponseHead(content)
  }
  return lastHead
}
