import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { evalScript } from './broker-eval.ts'
import type { Certificate } from './certificates.ts'

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

interface Ports {
  readonly port: number
  readonly tlsPort: number
  readonly managementPort: number
  readonly distributionPort: number
  readonly epmdPort: number
}

/** Writes the node's files and returns its environment, which leaves nothing to the machine's /etc/rabbitmq. */
export function layOut(directory: string, ports: Ports, { config = [], tls }: BrokerOptions) {
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
      ...(tls === undefined ? [] : tlsLines(ports.tlsPort, tls)),
    ]),
    // Makes the script execute the Erlang VM in its place: the node is then our child, and gone when it is killed.
    RUNNING_UNDER_SYSTEMD: 'true',
    // Of -run, the arguments come as a list: to file:eval that is a name, too.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `${loopback} -run file eval ${file('eval.erl', [evalScript(directory)])}`,
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
