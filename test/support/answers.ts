import {
  FastCgiError,
  type FastCgiErrorCode,
  type FastCgiPhase,
  type FastCgiResponse,
} from '../../src/fastcgi/types.ts'

interface Given {
  readonly stderr?: string
  readonly body?: string
  /** Names in lower case; several values of one name as a list. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly bodyTruncated?: boolean
}

/** What a worker answers. */
export function answer(status: number, given: Given = {}): FastCgiResponse {
  const { stderr = '', body = '', headers = {}, bodyTruncated = false } = given
  return {
    status,
    stderr,
    body: Buffer.from(body),
    headers: new Map(Object.entries(headers).map(([name, value]) => [name, [value].flat()])),
    bodyTruncated,
    stderrTruncated: false,
    appStatus: 0,
    timings: { connect: 0, firstByte: 1, total: 2 },
  }
}

/** What php-fpm itself answers when it does not run the script; `headers` are further ones. */
export function refusal(status: number, body: string, given: Given = {}): FastCgiResponse {
  const headers = {
    status: `${status} Refused`,
    'content-type': 'text/html; charset=UTF-8',
    ...given.headers,
  }
  return answer(status, { ...given, body, headers })
}

export const fileNotFound = (): FastCgiResponse =>
  refusal(404, 'File not found.\n', { stderr: 'Primary script unknown' })

export const failure = (code: FastCgiErrorCode, phase: FastCgiPhase, message: string): FastCgiError =>
  new FastCgiError(code, phase, message)

export const connectFailure = (): FastCgiError => failure('CONNECT_FAILED', 'connect', 'no socket')
export const sendFailure = (): FastCgiError => failure('SEND_FAILED', 'send', 'broken off')
export const notRead = (): FastCgiError => failure('NOT_READ', 'unread', 'not read')
export const connectionLost = (): FastCgiError =>
  failure('CONNECTION_LOST', 'receive', 'the connection ended')
