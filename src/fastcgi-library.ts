import { Readable, type Writable } from 'node:stream'
import type library from 'fastcgi-client'
import type { PoolAddress } from './fastcgi/address.ts'
import { parseResponseHead } from './fastcgi/response.ts'
import { connectError, probePool } from './fastcgi/socket.ts'
import {
  type FastCgiBody,
  type FastCgiClient,
  type FastCgiClientOptions,
  FastCgiError,
  type FastCgiRequest,
  type FastCgiResponse,
} from './fastcgi/types.ts'

type CreateConnector = typeof library.default
type Connector = ReturnType<CreateConnector>
type LibraryRequest = Parameters<Parameters<Connector['request']>[1]>[1]

/** Milliseconds until a bare connect that nobody answers counts as failed. */
const PROBE_TIMEOUT = 1_000

/**
 * The npm package fastcgi-client behind our own types: one connection per request. What it cannot do: it has no
 * timeout and no cancel, it sends params of 64 KiB at most, and an answer that splits a record header or the body of
 * endRequest over two reads throws out of its data handler, which ends the process.
 */
export function createLibraryClient(options: FastCgiClientOptions): FastCgiClient {
  const { address } = options
  const connector = connectorTo(address)
  return {
    async request(request) {
      const started = performance.now()
      const exchange = await open(await connector, address, {
        ...options.params,
        ...request.params,
        CONTENT_LENGTH: String(request.body.length),
      })
      return converse(exchange, request, options, started)
    },
    probe: () => probePool(address, PROBE_TIMEOUT),
    close: () => {},
  }
}

/** Resolves when it takes requests. The package is loaded here, where somebody wants it: few do, and a start waits for it. */
async function connectorTo(address: PoolAddress): Promise<Connector> {
  // It is CommonJS and exports the function itself; its types say `export default`.
  const { default: createConnector } = (await import('fastcgi-client')) as unknown as {
    default: CreateConnector
  }
  const connector = createConnector({
    ...(address.kind === 'unix' ? { sockFile: address.path } : { host: address.host, port: address.port }),
    // php-fpm answers FCGI_GET_VALUES without FCGI_MAX_CONNS and closes: asking only costs a connection.
    skipCheckServer: true,
  })
  return new Promise((resolve) => connector.once('ready', () => resolve(connector)))
}

/** Resolves once connected, with begin and params already written. */
function open(
  connector: Connector,
  address: PoolAddress,
  params: Record<string, string>,
): Promise<LibraryRequest> {
  return new Promise((resolve, reject) => {
    connector.request(params, (error, exchange) => {
      if (error === null) resolve(exchange)
      // The package has one message for every refusal; a connect of our own finds out which it was. When that
      // one succeeds, the backlog was full a moment ago.
      else probePool(address, PROBE_TIMEOUT).then(() => reject(connectError(address, backlogFull())), reject)
    })
  })
}

function backlogFull(): Error {
  return Object.assign(new Error("the pool's backlog was full"), { code: 'EAGAIN' })
}

async function converse(
  exchange: LibraryRequest,
  request: FastCgiRequest,
  options: FastCgiClientOptions,
  started: number,
): Promise<FastCgiResponse> {
  const connect = performance.now() - started
  let firstByte: number | undefined
  for (const stream of [exchange.stdout, exchange.stderr]) {
    stream.once('data', () => {
      firstByte ??= performance.now() - started
    })
  }
  let sent = false
  exchange.stdin.once('finish', () => {
    sent = true
    request.onSent?.()
  })
  // A reset during the upload arrives here as well as at the end of stdout, where it is reported.
  let uploadError: unknown
  exchange.stdin.on('error', (error) => {
    uploadError = error
  })
  const stdout = collect(exchange.stdout, options.maxResponse)
  const stderr = collect(exchange.stderr, options.maxStderr)
  upload(exchange.stdin, request.body)

  const [output, errors] = await Promise.all([stdout, stderr])
  const status = exchange.getExitStatus()
  if (status instanceof Error) throw failure(status, sent, uploadError)
  const head = parseResponseHead(output.bytes)
  if (head === undefined) {
    throw new FastCgiError(
      'MALFORMED_ANSWER',
      sent ? 'receive' : 'send',
      'the answer has no CGI header block',
    )
  }
  return {
    status: head.status,
    headers: head.headers,
    body: output.bytes.subarray(head.bodyOffset),
    bodyTruncated: output.truncated,
    stderr: errors.bytes.toString('utf8'),
    stderrTruncated: errors.truncated,
    appStatus: status,
    timings: { connect, firstByte: firstByte ?? 0, total: performance.now() - started },
  }
}

function upload(stdin: Writable, body: FastCgiBody): void {
  if (!(body instanceof Uint8Array)) {
    // What goes wrong with it is the stream's 'error'.
    Readable.from(body.pieces)
      .on('error', (error) => stdin.destroy(error))
      .pipe(stdin)
    return
  }
  if (body.length > 0) stdin.write(body)
  stdin.end()
}

/** Why there is no complete answer. A request that was answered before it was sent whole has run, and is none. */
function failure(status: Error, sent: boolean, uploadError: unknown): FastCgiError {
  if (status.message.startsWith('Server rejected')) {
    return new FastCgiError(
      'REQUEST_REFUSED',
      sent ? 'receive' : 'send',
      `the pool refused the request: ${status.message}`,
      {
        cause: status,
      },
    )
  }
  return sent
    ? new FastCgiError('CONNECTION_LOST', 'receive', 'the connection ended before the answer was complete', {
        cause: uploadError,
      })
    : new FastCgiError('SEND_FAILED', 'send', 'the connection ended before the request was sent whole', {
        cause: uploadError,
      })
}

/** Reads a stream to its end and keeps its first `limit` bytes; a worker whose output is not read blocks. */
function collect(
  stream: NodeJS.ReadableStream,
  limit: number,
): Promise<{ bytes: Buffer; truncated: boolean }> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let kept = 0
    let truncated = false
    stream.on('data', (chunk: Buffer) => {
      const part = chunk.subarray(0, limit - kept)
      if (part.length < chunk.length) truncated = true
      if (part.length > 0) chunks.push(part)
      kept += part.length
    })
    stream.once('end', () => resolve({ bytes: Buffer.concat(chunks, kept), truncated }))
  })
}
