import { randomBytes } from 'node:crypto'
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Broker, type BrokerAddress, brokerAt } from './broker-api.ts'
import type { Certificate } from './certificates.ts'
import { eventually, Hopeless } from './eventually.ts'
import { installedProgram } from './installed.mjs'
import { type OwnedProcess, spawnOwned } from './owned-process.ts'
import { freePorts, reach } from './ports.ts'
import { removeFolder, temporaryFolder } from './run-folder.ts'

export interface BrokerOptions {
  /** More lines for rabbitmq.conf, such as `consumer_timeout = 5000`. */
  readonly config?: readonly string[]
  /** Adds a listener for `amqps:` and the SASL mechanism EXTERNAL, with the common name as the user's. */
  readonly tls?: BrokerTls
}

export interface BrokerTls extends Certificate {
  /** The path of the CA certificate that client certificates are checked against. */
  readonly ca: string
  /** Whether clients without a certificate are turned away; default false. */
  readonly clientCertificate?: boolean
}

/** A broker of our own: the one who started it closes it. */
export interface OwnBroker extends Broker {
  readonly directory: string
  /** Of the listener for `amqps:`; nobody listens there unless BrokerOptions.tls was given. */
  readonly tlsPort: number
  /** Of the node, which leads a process group of its own; undefined while it is killed. */
  readonly pid: number | undefined
  /**
   * Resolves when what was declared is on disk, users too. RabbitMQ 3.10 writes it up to two seconds later, and forgets
   * what it has not written when it is killed.
   */
  flush(): Promise<void>
  /** SIGKILL, as a crash of the machine would be; what was on disk stays. */
  kill(): Promise<void>
  /** Starts it again, on the same ports and data. */
  start(): Promise<void>
  /** Ends the node and its epmd and removes the folder. Idempotent. */
  close(): Promise<void>
}

/**
 * Starts a private RabbitMQ node with the management plugin, in a temporary folder, on free ports of 127.0.0.1 only,
 * with an epmd and a cookie of its own: it neither sees nor disturbs any other node of the machine. Takes about 5 s.
 *
 * @throws when RabbitMQ is not installed, or does not come up within 60 s: the message has the end of its log
 */
export async function startBroker({ config = [], tls }: BrokerOptions = {}): Promise<OwnBroker> {
  const [port, tlsPort, managementPort, distributionPort, epmdPort] = (await freePorts(5)) as [
    number,
    number,
    number,
    number,
    number,
  ]
  const directory = temporaryFolder('broker')
  const ports = { port, managementPort, distributionPort, epmdPort }
  const environment = layOut(
    directory,
    ports,
    tls === undefined ? config : [...config, ...tlsLines(tlsPort, tls)],
  )
  const { HOME, RABBITMQ_NODENAME, ERL_EPMD_PORT, RABBITMQ_CONF_ENV_FILE, RABBITMQ_CTL_ERL_ARGS } =
    environment
  const address: BrokerAddress = {
    port,
    managementPort,
    ctlEnvironment: { HOME, RABBITMQ_NODENAME, ERL_EPMD_PORT, RABBITMQ_CONF_ENV_FILE, RABBITMQ_CTL_ERL_ARGS },
  }
  const broker = brokerAt(address)
  const output = join(directory, 'output.log')
  let epmd: OwnedProcess | undefined
  let node: OwnedProcess | undefined

  async function start(): Promise<void> {
    const started = await spawnLogged(installedProgram('rabbitmqServer'), [], environment, output)
    node = started
    const accepts = async () => {
      if (started.exit !== undefined) throw new Hopeless('the node has ended')
      // The listeners open last, the management plugin's and then the one for AMQP.
      await reach({ port })
      await broker.api('GET', '/overview')
      return true
    }
    try {
      await eventually('RabbitMQ accepts connections', accepts, { within: 60_000 })
    } catch (cause) {
      const said = tail(output) // before it goes with the folder
      await close()
      throw new Error(`RabbitMQ did not start:\n${said}`, { cause })
    }
  }

  async function flush(): Promise<void> {
    // Later versions may have no Mnesia, and write at once.
    await broker.ctl('eval', 'catch mnesia:sync_log().')
  }

  async function kill(): Promise<void> {
    await node?.kill()
    node = undefined
  }

  async function close(): Promise<void> {
    await kill()
    await epmd?.kill()
    removeFolder(directory)
  }

  // In the foreground, and so ours: the one that the node would start itself is a daemon that outlives it.
  epmd = await spawnLogged(
    installedProgram('epmd'),
    ['-port', String(epmdPort), '-address', '127.0.0.1'],
    environment,
    output,
  )
  await eventually('epmd listens', () => reach({ port: epmdPort }).then(() => true))
  await start()
  return {
    ...broker,
    directory,
    tlsPort,
    get pid() {
      return node?.pid
    },
    flush,
    kill,
    start,
    close,
  }
}

interface Ports {
  port: number
  managementPort: number
  distributionPort: number
  epmdPort: number
}

/** Writes the node's files and returns its environment, which leaves nothing to the machine's /etc/rabbitmq. */
function layOut(directory: string, ports: Ports, config: readonly string[]) {
  const file = (name: string, lines: readonly string[]) => {
    writeFileSync(join(directory, name), `${lines.join('\n')}\n`)
    return join(directory, name)
  }
  const name = `fpm-bridge-${process.pid}-${randomBytes(4).toString('hex')}@localhost`
  writeFileSync(join(directory, '.erlang.cookie'), randomBytes(16).toString('hex'))
  chmodSync(join(directory, '.erlang.cookie'), 0o400)
  mkdirSync(join(directory, 'log'))

  const loopback = '-kernel inet_dist_use_interface {127,0,0,1}'
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: directory,
    ERL_EPMD_PORT: String(ports.epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: name,
    RABBITMQ_DIST_PORT: String(ports.distributionPort),
    RABBITMQ_MNESIA_BASE: join(directory, 'data'),
    RABBITMQ_LOG_BASE: join(directory, 'log'),
    RABBITMQ_PID_FILE: join(directory, 'pid'),
    // Where a node that is killed while it starts would leave it: in the folder of whoever started it.
    ERL_CRASH_DUMP: join(directory, 'erl_crash.dump'),
    RABBITMQ_CONF_ENV_FILE: file('rabbitmq-env.conf', []),
    RABBITMQ_ENABLED_PLUGINS_FILE: file('enabled_plugins', [
      '[rabbitmq_management, rabbitmq_auth_mechanism_ssl].',
    ]),
    RABBITMQ_ADVANCED_CONFIG_FILE: file('advanced.config', [
      // Seconds {kept, between}. The management API renews its figures as often as it samples, by default every 5 s.
      '[{rabbitmq_management, [{sample_retention_policies,',
      '  [{global, [{60, 1}]}, {basic, [{60, 1}]}, {detailed, [{60, 1}]}]}]}].',
    ]),
    RABBITMQ_CONFIG_FILE: file('rabbitmq.conf', [
      `listeners.tcp.1 = 127.0.0.1:${ports.port}`,
      'management.tcp.ip = 127.0.0.1',
      `management.tcp.port = ${ports.managementPort}`,
      // Milliseconds; by default, the queues too report every 5 s only.
      'collect_statistics_interval = 500',
      // A full disk or memory would block publishers and look like a fault of ours.
      'vm_memory_high_watermark.relative = 0.9',
      'disk_free_limit.absolute = 1MB',
      // As much as --max-body allows, and RabbitMQ 3; the default of RabbitMQ 4 is 16 MiB.
      `max_message_size = ${128 * 1024 * 1024}`,
      ...config,
    ]),
    // Makes the script execute the Erlang VM in its place: the node is then our child, and gone when it is killed.
    RUNNING_UNDER_SYSTEMD: 'true',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: loopback,
    RABBITMQ_CTL_ERL_ARGS: loopback,
  }
}

function tlsLines(port: number, { ca, cert, key, clientCertificate = false }: BrokerTls): string[] {
  return [
    `listeners.ssl.1 = 127.0.0.1:${port}`,
    `ssl_options.cacertfile = ${ca}`,
    `ssl_options.certfile = ${cert}`,
    `ssl_options.keyfile = ${key}`,
    'ssl_options.verify = verify_peer',
    `ssl_options.fail_if_no_peer_cert = ${clientCertificate}`,
    'auth_mechanisms.1 = PLAIN',
    'auth_mechanisms.2 = EXTERNAL',
    'ssl_cert_login_from = common_name',
  ]
}

async function spawnLogged(command: string, args: string[], env: NodeJS.ProcessEnv, file: string) {
  const output = openSync(file, 'a')
  try {
    return await spawnOwned(command, args, { env, stdio: ['ignore', output, output] })
  } finally {
    closeSync(output)
  }
}

function tail(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-20).join('\n')
}
