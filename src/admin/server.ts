import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { isOwnHost } from './host.ts'
import type { Answer, Page } from './page.ts'
import { hasToken } from './token.ts'

export interface AdminOptions {
  /** By path. */
  readonly pages: ReadonlyMap<string, Page>
  /** That each request has to bring; undefined: none. */
  readonly token: string | undefined
  /** Where it listens: requests that name another host than that and this machine are refused. Undefined: any may be named. */
  readonly host?: string | undefined
}

/** Milliseconds for the head of a request, from its first byte on, and for all of it; a connection without any has as long. */
const REQUEST_TIMEOUT = 2_000
/** Milliseconds between two looks for requests that take too long. */
const LOOK = 500
/** Milliseconds of a connection on which nothing moves: of a client that reads no answer, too. */
const IDLE_TIMEOUT = 5_000
const MAX_CONNECTIONS = 32
/** Bytes of a request line and headers. */
const MAX_HEAD = 8 * 1024

const OTHER_HOST =
  'The Host header names neither localhost nor the address of --admin. To allow any name: --admin-token-file, or --admin-open.'

const METHODS: readonly (string | undefined)[] = ['GET', 'HEAD']

/** What is said of what is no HTTP, by the code of Node.js' error. */
const NO_REQUEST: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

/**
 * A web server of a few pages, to be read and nothing else. Whoever comes too slowly, too often or with something else is sent away:
 * it may cost a connection, never the daemon.
 */
export function createAdminServer(options: AdminOptions): Server {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEAD,
      headersTimeout: REQUEST_TIMEOUT,
      requestTimeout: REQUEST_TIMEOUT,
      connectionsCheckingInterval: LOOK,
      keepAliveTimeout: IDLE_TIMEOUT,
    },
    (request, response) => void answer(request, response, options),
  )
  server.maxConnections = MAX_CONNECTIONS
  server.setTimeout(IDLE_TIMEOUT)
  server.on('clientError', refuse)
  // Nobody is to switch to another protocol, nor to be told to go on with a body.
  server.on('checkContinue', (request, response) => void answer(request, response, options))
  return server
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: AdminOptions,
): Promise<void> {
  const refusal = refusalOf(request, options)
  if (refusal !== undefined) {
    const [status, reason, headers] = refusal
    // A body would be taken for the next request.
    response.writeHead(status, {
      ...headers,
      'Content-Type': 'text/plain; charset=utf-8',
      Connection: 'close',
    })
    response.end(`${reason}\n`)
    return
  }
  const { status, type, body } = await contentOf(options.pages.get(pathOf(request)))
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  })
  response.end(body)
}

type Refusal = readonly [status: number, reason: string, headers?: Readonly<Record<string, string>>]

function refusalOf(request: IncomingMessage, { pages, token, host }: AdminOptions): Refusal | undefined {
  const { method, headers } = request
  if (token !== undefined && !hasToken(headers.authorization, token))
    return [
      401,
      'The token of --admin-token-file is missing, or is another one.',
      { 'WWW-Authenticate': 'Bearer' },
    ]
  if (host !== undefined && !isOwnHost(headers.host, host)) return [403, OTHER_HOST]
  if (!pages.has(pathOf(request))) return [404, `There are ${[...pages.keys()].join(', ')}.`]
  if (!METHODS.includes(method)) return [405, 'Only GET and HEAD.', { Allow: 'GET, HEAD' }]
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0)
    return [413, 'No body is taken.']
  return undefined
}

/** A page that fails says so, and to nobody else. */
async function contentOf(
  page: Page | undefined,
): Promise<Answer | { status: 500; type: string; body: string }> {
  try {
    if (page === undefined) throw new Error('no such page')
    return await page()
  } catch (error) {
    return { status: 500, type: 'text/plain; charset=utf-8', body: `internal fault: ${String(error)}\n` }
  }
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? ''
}

function refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const status = NO_REQUEST[error.code ?? ''] ?? '400 Bad Request'
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy())
}
