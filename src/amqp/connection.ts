import { type ChannelModel, connect } from 'amqplib'
import { BrokerError, withDeadline } from './broker-error.ts'
import { type BrokerUrl, formatBrokerUrl } from './broker-url.ts'

/** Milliseconds for the TCP connect and the whole handshake. */
const CONNECT_TIMEOUT = 10_000

/** Milliseconds a broker gets to answer one method. */
export const RPC_TIMEOUT = 10_000

/** Milliseconds for a clean goodbye; after that the connection is left to the end of the process. */
const CLOSE_TIMEOUT = 2_000

/**
 * Opens a connection that the broker's management page shows under `name`.
 *
 * @param timeout milliseconds for all of it
 * @throws {BrokerError} UNREACHABLE, LOGIN_REFUSED or VHOST_REFUSED
 */
export async function openConnection(
  broker: BrokerUrl,
  name: string,
  timeout = CONNECT_TIMEOUT,
): Promise<ChannelModel> {
  // amqplib's own limit is on silence, and so none for a peer that sends a byte now and then.
  const giveUp = new AbortController()
  const timer = setTimeout(() => giveUp.abort(), timeout)
  // net.connect takes a signal; amqplib hands it on, and its types do not know.
  const socketOptions = { noDelay: true, clientProperties: { connection_name: name }, signal: giveUp.signal }
  try {
    const connection = await connect(
      {
        protocol: 'amqp',
        hostname: broker.hostname,
        port: broker.port,
        username: broker.username,
        password: broker.password,
        // amqplib unescapes it.
        vhost: encodeURIComponent(broker.vhost),
        heartbeat: broker.heartbeat,
        frameMax: broker.frameMax,
      },
      socketOptions,
    )
    // An 'error' without a listener would end the process; 'close' follows it and is what others listen to.
    connection.on('error', () => {})
    return connection
  } catch (error) {
    throw giveUp.signal.aborted ? tooLate(broker, timeout) : connectError(broker, error)
  } finally {
    clearTimeout(timer)
  }
}

function tooLate(broker: BrokerUrl, timeout: number): BrokerError {
  return new BrokerError('UNREACHABLE', `no connection to ${formatBrokerUrl(broker)} within ${timeout} ms`)
}

/** amqplib has no codes for what a broker says during the handshake, only sentences. */
function connectError(broker: BrokerUrl, cause: unknown): BrokerError {
  const message = cause instanceof Error ? cause.message : String(cause)
  const where = formatBrokerUrl(broker)
  if (message.includes('ACCESS-REFUSED') || message.includes('ACCESS_REFUSED')) {
    return new BrokerError(
      'LOGIN_REFUSED',
      `${where} refuses user "${broker.username}"; change the user or the password in --url (guest may only log in from the broker's own host)`,
      { cause },
    )
  }
  // The broker closed the connection instead of opening the vhost. amqplib keeps its reason to itself; it may also
  // be a broker that is just going.
  if (message.includes('ConnectionOpenOk')) {
    return new BrokerError(
      'VHOST_REFUSED',
      `${where} has no vhost "${broker.vhost}", or user "${broker.username}" may not enter it; change the vhost in --url`,
      { cause },
    )
  }
  return new BrokerError('UNREACHABLE', `cannot connect to ${where}: ${message}`, { cause })
}

/** Says goodbye, and waits no longer than it is worth: a hung broker never answers. */
export async function closeConnection(connection: ChannelModel): Promise<void> {
  // A connection that is closed already rejects; both ends agree then.
  await withDeadline(connection.close(), CLOSE_TIMEOUT, 'the closing of the connection').catch(() => {})
}
