import type { TlsOptions } from './tls.ts'

/** How we say who we are (SASL, RFC 4422): by name and password, or by the client certificate alone. */
export type Sasl =
  | { readonly mechanism: 'PLAIN'; readonly username: string; readonly password: string }
  | { readonly mechanism: 'EXTERNAL' }

/** Where a broker is and how to speak to it; from an AMQP URI. */
export interface BrokerUrl {
  /** Undefined for `amqp:`, which is not encrypted. */
  readonly tls: TlsOptions | undefined
  readonly hostname: string
  readonly port: number
  readonly vhost: string
  readonly sasl: Sasl
  /** Seconds between heartbeats; a silent broker is given up after two to three of them. 0 = none. */
  readonly heartbeat: number
  /** Largest AMQP frame in bytes. */
  readonly frameMax: number
}

const DEFAULTS = {
  port: { 'amqp:': 5672, 'amqps:': 5671 },
  username: 'guest',
  password: 'guest',
  vhost: '/',
  heartbeat: 10,
  frameMax: 131_072,
}

/** The query parameters we know, with their ranges. A smaller frame could not carry our copies' headers. */
const PARAMETERS = new Map([
  ['heartbeat', { field: 'heartbeat', min: 0, max: 65_535 }],
  ['frame_max', { field: 'frameMax', min: 65_536, max: 16_777_216 }],
] as const)

/** What follows the vhost in a DSN of Symfony Messenger: an exchange, and by parameters what is bound to it. */
const NAME_THE_QUEUE = "and name the queue with --queue (Symfony's default is messages)"

/**
 * Reads `amqp://user:password@host:port/vhost?heartbeat=10&frame_max=131072` (RabbitMQ's URI specification),
 * or the same with `amqps:`. A URL without user info means guest, or SASL EXTERNAL where there is a client certificate.
 *
 * @param tls for `amqps:`
 * @throws {Error} whose message says what is wrong and repeats no part of the URL: it may hold a password
 */
export function parseBrokerUrl(text: string, tls: TlsOptions = { insecure: false }): BrokerUrl {
  if (!URL.canParse(text))
    throw new Error('is not a URL; it must look like amqp://user:password@host:5672/vhost')
  const url = new URL(text)
  const { protocol } = url
  if (protocol !== 'amqp:' && protocol !== 'amqps:') throw new Error('must begin with amqp:// or amqps://')
  if (url.hostname === '') throw new Error('names no host')
  if (url.hash !== '') throw new Error('has a # in it; in a password it is written %23')
  if (url.port === '0') throw new Error('names port 0, on which nobody listens')
  // The URL parser would take it for a step in the path, and leave it out.
  if (/\/(?:\.|%2e){1,2}(?:[?#]|$)/i.test(text)) throw new Error('names a vhost of dots alone')
  const path = url.pathname.slice(1)
  if (path.includes('@')) throw new Error('has an @ in its vhost; a slash in the password is written %2F')
  if (/^%2f\/./i.test(path))
    throw new Error(`is a DSN of Symfony Messenger: end it after /${path.slice(0, 3)}, ${NAME_THE_QUEUE}`)
  if (path.includes('/')) throw new Error('names a vhost with a slash in it, which must be written %2F')
  return {
    tls: protocol === 'amqps:' ? tls : undefined,
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? DEFAULTS.port[protocol] : Number(url.port),
    vhost: path === '' ? DEFAULTS.vhost : decode(path, 'vhost'),
    sasl: readSasl(url, protocol === 'amqps:' && tls.cert !== undefined),
    heartbeat: DEFAULTS.heartbeat,
    frameMax: DEFAULTS.frameMax,
    ...readParameters(url.searchParams),
  }
}

/** The URL without its password: the only form that is ever logged. */
export function formatBrokerUrl({ tls, sasl, hostname, port, vhost }: BrokerUrl): string {
  const scheme = tls === undefined ? 'amqp' : 'amqps'
  const user = sasl.mechanism === 'PLAIN' ? `${encodeURIComponent(sasl.username)}@` : ''
  const host = hostname.includes(':') ? `[${hostname}]` : hostname
  return `${scheme}://${user}${host}:${port}/${vhost === '/' ? '' : encodeURIComponent(vhost)}`
}

function readSasl({ username, password }: URL, certified: boolean): Sasl {
  if (username === '' && password === '') {
    if (certified) return { mechanism: 'EXTERNAL' }
    return { mechanism: 'PLAIN', username: DEFAULTS.username, password: DEFAULTS.password }
  }
  return {
    mechanism: 'PLAIN',
    username: username === '' ? DEFAULTS.username : decode(username, 'user name'),
    password: decode(password, 'password'),
  }
}

function readParameters(query: URLSearchParams): Partial<Pick<BrokerUrl, 'heartbeat' | 'frameMax'>> {
  const read: { heartbeat?: number; frameMax?: number } = {}
  for (const [name, value] of query) {
    const parameter = PARAMETERS.get(name as 'heartbeat' | 'frame_max')
    if (/^auto_setup$|^(?:exchange|queues|delay)\[/.test(name))
      throw new Error(`has the parameters of a Symfony DSN: end it before the ?, ${NAME_THE_QUEUE}`)
    if (parameter === undefined) {
      throw new Error(`has an unknown query parameter; known are ${[...PARAMETERS.keys()].join(' and ')}`)
    }
    const { field, min, max } = parameter
    if (read[field] !== undefined) throw new Error(`gives ${name} twice`)
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN
    if (!(number >= min && number <= max))
      throw new Error(`has a ${name} that is no integer from ${min} to ${max}`)
    read[field] = number
  }
  return read
}

/** Decodes an AMQP short string, which holds 255 bytes; PLAIN ends names at a NUL (RFC 4616). */
function decode(text: string, what: string): string {
  let decoded: string
  try {
    decoded = decodeURIComponent(text)
  } catch (cause) {
    throw new Error(`has a malformed % escape in its ${what}`, { cause })
  }
  if (decoded.includes('\0')) throw new Error(`has a NUL in its ${what}`)
  if (Buffer.byteLength(decoded) > 255) throw new Error(`has a ${what} of more than 255 bytes`)
  return decoded
}
