import { TLSSocket } from 'node:tls'
import { BrokerError } from '../../amqp/broker-error.ts'
import type { BrokerErrorCode } from '../../amqp/broker-error-code.ts'
import { BrokerList } from '../../amqp/broker-list.ts'
import { type BrokerUrl, formatBrokerUrl } from '../../amqp/broker-url.ts'
import { openConnection, socketOf } from '../../amqp/connection.ts'
import { Connections } from '../../amqp/connections.ts'
import { ConfirmPublisher } from '../../amqp/publisher.ts'
import { type Finder, type Finding, findingsOf, inTwo } from './finding.ts'
import { isLoopback } from './loopback.ts'

/** What the broker's management page shows. */
const CONNECTION_NAME = 'fpm-bridge check'

/** A certificate that is valid for no longer is worth a warning. */
const SOON_DAYS = 14
const DAY = 86_400_000

/** What a daemon would work with. Its owner closes the connection. */
export interface OpenBroker {
  readonly url: BrokerUrl
  readonly connection: Awaited<ReturnType<typeof openConnection>>
  /** As it says itself: `3.10.8`. */
  readonly version: string
}

/** At which point somebody is turned away. All other codes: at the first one. */
const POINTS: Partial<Record<BrokerErrorCode, string>> = {
  TLS_REFUSED: 'tls',
  LOGIN_REFUSED: 'login',
  VHOST_REFUSED: 'vhost',
}

/**
 * Connects to each broker of the failover list.
 *
 * @param now milliseconds since the epoch
 * @returns the first that can be used, if one can
 */
export async function checkBrokers(
  brokers: readonly BrokerUrl[],
  now: number,
): Promise<{ readonly findings: readonly Finding[]; readonly open: readonly OpenBroker[] }> {
  const looks = await Promise.all(brokers.map(connect))
  const open = looks.flatMap((look) => (look instanceof BrokerError ? [] : [look]))
  const findings = looks.flatMap((look, index) => {
    const finder = findingsOf('broker', formatBrokerUrl(brokers[index] as BrokerUrl))
    return look instanceof BrokerError
      ? [refusal(finder, look, open.length > 0)]
      : [...acceptance(finder, look), ofTls(finder, look, now)]
  })
  return { findings, open }
}

async function connect(url: BrokerUrl): Promise<OpenBroker | BrokerError> {
  try {
    const connection = await openConnection(url, CONNECTION_NAME)
    const { version } = connection.connection.serverProperties
    return { url, connection, version: String(version) }
  } catch (error) {
    if (error instanceof BrokerError) return error
    throw error
  }
}

/** @param dispensable whether another broker of the list can be used */
function refusal(
  { warned, failed }: Finder,
  { code, message, permanent }: BrokerError,
  dispensable: boolean,
): Finding {
  const point = POINTS[code] ?? 'connect'
  const [text, remedy] = inTwo(message, 'start RabbitMQ, or correct host and port in --url')
  if (dispensable) return warned(point, `${text}; another broker of --url can be used`, remedy)
  return failed(point, permanent ? 'configuration' : 'unavailable', text, remedy)
}

function acceptance({ passed }: Finder, { url: { sasl, vhost }, version }: OpenBroker): readonly Finding[] {
  const who = sasl.mechanism === 'PLAIN' ? `as ${sasl.username}` : 'by the client certificate'
  return [
    passed('connect', `RabbitMQ ${version} answers`),
    passed('login', `logged in ${who}`),
    passed('vhost', `the user may use vhost ${vhost}`),
  ]
}

function ofTls({ passed, warned }: Finder, { url, connection }: OpenBroker, now: number): Finding {
  const socket = socketOf(connection)
  if (url.tls === undefined || !(socket instanceof TLSSocket))
    return isLoopback(url.hostname)
      ? passed('tls', 'not encrypted, and it does not leave this machine')
      : warned(
          'tls',
          'not encrypted: password and messages cross the network as they are',
          "use the broker's TLS port, with amqps:// in --url (docs/tls.md), unless the network is yours alone",
        )
  if (url.tls.insecure)
    return warned(
      'tls',
      'encrypted, and whoever answers is taken for the broker (--tls-insecure)',
      'leave --tls-insecure out, and give the certificate of its CA with --tls-ca',
    )
  const end = Date.parse(socket.getPeerCertificate().valid_to)
  const days = Math.floor((end - now) / DAY)
  return days < SOON_DAYS
    ? warned(
        'tls',
        `encrypted and verified; its certificate expires in ${days} days`,
        'renew it: after that no daemon connects',
      )
    : passed('tls', `encrypted and verified; its certificate is valid for ${days} days`)
}

/**
 * Whether dead letters and retries could be published: a message for a queue that does not exist comes back to who may publish.
 *
 * @param remedy gives the right to
 */
export async function checkPublishing({ url }: OpenBroker, remedy: string): Promise<Finding> {
  const { passed, failed } = findingsOf('broker', formatBrokerUrl(url))
  let alarm = (_: string): void => {}
  const inAlarm = new Promise<string>((resolve) => {
    alarm = resolve
  })
  const publisher = new ConfirmPublisher(
    {
      brokers: new BrokerList([url], () => {}),
      connections: new Connections(CONNECTION_NAME),
      topology: { queues: [], declare: false },
    },
    (event) => {
      if (event.kind === 'broker-blocked') alarm(event.reason)
    },
  )
  try {
    const reason = await Promise.race([publisher.prepare(), inAlarm])
    return reason === undefined
      ? passed('publish', 'the user may publish dead letters and retries')
      : failed(
          'publish',
          'unavailable',
          `the broker is in alarm (${reason}), and takes no messages`,
          'free memory or disk space there: rabbitmq-diagnostics alarms',
        )
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    if (error.code === 'PUBLISH_REFUSED')
      return failed('publish', 'configuration', 'the user may not publish dead letters and retries', remedy)
    const [text, usual] = inTwo(error.message, "see the broker's log")
    return failed('publish', error.permanent ? 'configuration' : 'unavailable', text, usual)
  } finally {
    await publisher.close()
  }
}
