import type { Socket } from 'node:net'
import { type Channel, type ChannelModel, connect, credentials } from 'amqplib'
import { BrokerError, withDeadline } from './broker-error.ts'
import { type BrokerUrl, formatBrokerUrl, type Sasl } from './broker-url.ts'
import { tellReplies } from './handshake.ts'
import { meaningOf, replyOf, withRemedy } from './reply.ts'
import { explainTlsError } from './tls.ts'

tellReplies()

/** Milliseconds for the TCP connect and the whole handshake. */
const CONNECT_TIMEOUT = 10_000

/** Of a host name, so many get their turn within the timeout; the first SYN of each may be lost, and is repeated after a second. */
const ADDRESSES = 4

/** Milliseconds a broker gets to answer one method. */
export const RPC_TIMEOUT = 10_000

/** Milliseconds for a clean goodbye. */
export const CLOSE_TIMEOUT = 2_000

/**
 * Opens a connection that the broker's management page shows under `name`.
 *
 * @param timeout milliseconds for all of it
 * @throws {BrokerError} UNREACHABLE, TLS_REFUSED, LOGIN_REFUSED or VHOST_REFUSED
 */
export async function openConnection(
  broker: BrokerUrl,
  name: string,
  timeout = CONNECT_TIMEOUT,
): Promise<ChannelModel> {
  // amqplib's own limit is on silence, and so none for a peer that sends a byte now and then.
  const giveUp = new AbortController()
  const timer = setTimeout(() => giveUp.abort(), timeout)
  const { tls, sasl } = broker
  const socketOptions = {
    noDelay: true,
    clientProperties: { connection_name: name },
    credentials:
      sasl.mechanism === 'PLAIN' ? credentials.plain(sasl.username, sasl.password) : credentials.external(),
    // net.connect takes a signal; amqplib hands it on, and its types do not know.
    signal: giveUp.signal,
    // Node.js goes on to a name's next address after 250 ms: no broker that is further away would ever be reached.
    autoSelectFamilyAttemptTimeout: Math.ceil(timeout / ADDRESSES),
    // Where rejectUnauthorized is left out, NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment switches it off.
    ...(tls && { ca: tls.ca, cert: tls.cert, key: tls.key, rejectUnauthorized: !tls.insecure }),
  }
  try {
    const connection = await connect(
      {
        protocol: tls === undefined ? 'amqp' : 'amqps',
        hostname: broker.hostname,
        port: broker.port,
        // amqplib unescapes it.
        vhost: encodeURIComponent(broker.vhost),
        heartbeat: broker.heartbeat,
        frameMax: broker.frameMax,
      },
      socketOptions,
    )
    // An 'error' without a listener would end the process; 'close' follows it and is what others listen to.
    connection.on('error', (error) => lastWords.set(connection, error))
    return connection
  } catch (error) {
    throw giveUp.signal.aborted ? tooLate(broker, timeout) : connectError(broker, error)
  } finally {
    clearTimeout(timer)
  }
}

/** Why connections have ended: amqplib tells whoever waits for an answer only that none will come. */
const lastWords = new WeakMap<ChannelModel, unknown>()

/** @param error what amqplib threw for want of a connection, as it is where nothing better is known */
export function reasonOf(connection: ChannelModel, error: unknown): unknown {
  return error instanceof BrokerError || replyOf(error) !== undefined
    ? error
    : (lastWords.get(connection) ?? error)
}

function tooLate(broker: BrokerUrl, timeout: number): BrokerError {
  return new BrokerError('UNREACHABLE', `no connection to ${formatBrokerUrl(broker)} within ${timeout} ms`)
}

/** Of what amqplib itself finds out there are no codes, only sentences. */
function connectError(broker: BrokerUrl, cause: unknown): BrokerError {
  const where = formatBrokerUrl(broker)
  const tlsError = explainTlsError(cause)
  if (tlsError !== undefined)
    return new BrokerError('TLS_REFUSED', `no TLS with ${where}: ${tlsError}`, { cause })
  const reply = replyOf(cause)
  if (reply !== undefined) {
    const { code, remedy } = meaningOf(reply)
    if (code === 'LOGIN_REFUSED')
      return new BrokerError(code, `${where} ${loginRefusal(broker.sasl)}`, { cause })
    return new BrokerError(code, withRemedy(`${where} opens no connection: ${reply.text}`, remedy), { cause })
  }
  const message = describe(cause)
  if (message.startsWith('SASL mechanism')) {
    const { mechanism } = broker.sasl
    return new BrokerError(
      'LOGIN_REFUSED',
      `${where} does not offer SASL ${mechanism}; ${mechanism === 'PLAIN' ? 'give a client certificate (--tls-cert) and no user in --url' : 'enable it there (plugin rabbitmq_auth_mechanism_ssl), or give a user in --url'}`,
      { cause },
    )
  }
  return new BrokerError('UNREACHABLE', `cannot connect to ${where}: ${message}${hintFor(message, broker)}`, {
    cause,
  })
}

function hintFor(message: string, { tls }: BrokerUrl): string {
  if (message.includes('ECONNREFUSED')) return '; is RabbitMQ running, and is this its port?'
  if (message.includes('ENOTFOUND')) return '; is the host in --url right?'
  // A TLS port ends a plain connection so, but a broker that is just going does, too: it is waited for.
  if (tls === undefined && /^Socket closed|ECONNRESET/.test(message))
    return '; if that port speaks TLS, --url must begin with amqps://'
  return ''
}

/** For a host with several addresses, none of which can be reached, Node.js has an error without a message. */
function describe(cause: unknown): string {
  if (cause instanceof AggregateError && cause.message === '') return cause.errors.map(describe).join(', ')
  return cause instanceof Error ? cause.message : String(cause)
}

function userOf(sasl: Sasl): string {
  return sasl.mechanism === 'PLAIN' ? `user "${sasl.username}"` : 'the user of the client certificate'
}

function loginRefusal(sasl: Sasl): string {
  const remedy =
    sasl.mechanism === 'PLAIN'
      ? "change the user or the password in --url (guest may only log in from the broker's own host)"
      : 'the broker must have the user that the certificate names (ssl_cert_login_from says which part of it)'
  return `refuses ${userOf(sasl)}; ${remedy}`
}

/**
 * Says goodbye, and waits no longer than it is worth: a hung broker never answers. Nor does it end its side of the socket,
 * which amqplib would wait for, even after missing heartbeats.
 */
export async function closeConnection(connection: ChannelModel): Promise<void> {
  // A connection that is closed already rejects; both ends agree then.
  await withDeadline(connection.close(), CLOSE_TIMEOUT, 'the closing of the connection').catch(() => {})
  socketOf(connection).destroy()
}

/** amqplib keeps it, and its types leave it out: hence the narrow version range of the package. */
export function socketOf(connection: ChannelModel): Socket {
  return (connection.connection as unknown as { readonly stream: Socket }).stream
}

/** Bytes of the largest frame that client and broker have agreed on. amqplib keeps it to itself, too. */
export function frameMaxOf(connection: ChannelModel): number {
  return (connection.connection as unknown as { readonly frameMax: number }).frameMax
}

/** The number that the broker knows a channel by, before and after it is closed. amqplib keeps it to itself, too. */
export function numberOf(channel: Channel): number {
  return (channel as unknown as { readonly ch: number }).ch
}
