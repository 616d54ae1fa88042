/** Where a broker is and how to speak to it; from an AMQP URI. */
export interface BrokerUrl {
  readonly hostname: string
  readonly port: number
  readonly vhost: string
  readonly username: string
  readonly password: string
  /** Seconds between heartbeats; a silent broker is given up after two to three of them. 0 = none. */
  readonly heartbeat: number
  /** Largest AMQP frame in bytes. */
  readonly frameMax: number
}

const DEFAULTS = {
  port: 5672,
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

/**
 * Reads `amqp://user:password@host:port/vhost?heartbeat=10&frame_max=131072` (RabbitMQ's URI specification).
 *
 * @throws {Error} whose message says what is wrong and repeats no part of the URL: it may hold a password
 */
export function parseBrokerUrl(text: string): BrokerUrl {
  if (!URL.canParse(text))
    throw new Error('is not a URL; it must look like amqp://user:password@host:5672/vhost')
  const url = new URL(text)
  if (url.protocol !== 'amqp:') throw new Error('must begin with amqp://')
  if (url.hostname === '') throw new Error('names no host')
  if (url.hash !== '') throw new Error('has a # in it; in a password it is written %23')
  if (url.port === '0') throw new Error('names port 0, on which nobody listens')
  // The URL parser would take it for a step in the path, and leave it out.
  if (/\/(?:\.|%2e){1,2}(?:[?#]|$)/i.test(text)) throw new Error('names a vhost of dots alone')
  const path = url.pathname.slice(1)
  if (path.includes('@')) throw new Error('has an @ in its vhost; a slash in the password is written %2F')
  if (path.includes('/')) throw new Error('names a vhost with a slash in it, which must be written %2F')
  return {
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? DEFAULTS.port : Number(url.port),
    vhost: path === '' ? DEFAULTS.vhost : decode(path, 'vhost'),
    username: url.username === '' ? DEFAULTS.username : decode(url.username, 'user name'),
    password:
      url.username === '' && url.password === '' ? DEFAULTS.password : decode(url.password, 'password'),
    heartbeat: DEFAULTS.heartbeat,
    frameMax: DEFAULTS.frameMax,
    ...readParameters(url.searchParams),
  }
}

/** The URL without its password: the only form that is ever logged. */
export function formatBrokerUrl({ hostname, port, vhost, username }: BrokerUrl): string {
  const host = hostname.includes(':') ? `[${hostname}]` : hostname
  return `amqp://${encodeURIComponent(username)}@${host}:${port}/${vhost === '/' ? '' : encodeURIComponent(vhost)}`
}

function readParameters(query: URLSearchParams): Partial<Pick<BrokerUrl, 'heartbeat' | 'frameMax'>> {
  const read: { heartbeat?: number; frameMax?: number } = {}
  for (const [name, value] of query) {
    const parameter = PARAMETERS.get(name as 'heartbeat' | 'frame_max')
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
