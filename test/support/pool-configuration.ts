import type { PoolAddress, PoolOptions } from './pool.ts'

/** sun_path holds 108 bytes, the last of them a zero. */
const LONGEST_SOCKET_PATH = 107

/** The php-fpm.conf of a private pool. Pure. */
export function poolConfiguration(address: PoolAddress, log: string, options: PoolOptions): string {
  const { pm = 'static', children = 4, settings = {}, ini = {}, environment = {}, global = {} } = options
  for (const path of [address.socket, address.statusSocket]) {
    if (Buffer.byteLength(path) > LONGEST_SOCKET_PATH) throw new Error(`Too long for a Unix socket: ${path}`)
  }
  // As root, php-fpm demands a user; the tests' own, so that the children may read what the tests wrote.
  const user: Record<string, string> = process.getuid?.() === 0 ? { user: 'root', group: 'root' } : {}
  const dynamic: Record<string, number> =
    pm === 'dynamic'
      ? {
          'pm.start_servers': 1,
          'pm.min_spare_servers': 1,
          'pm.max_spare_servers': Math.max(1, children - 1),
        }
      : {}

  return [
    ...section('global', { error_log: log, daemonize: 'no', log_limit: 65_536, ...global }),
    ...section('commands', {
      ...user,
      listen: address.socket,
      pm,
      'pm.max_children': children,
      ...dynamic,
      'pm.status_path': '/status',
      'pm.status_listen': address.statusSocket,
      'ping.path': '/ping',
      catch_workers_output: 'yes',
      decorate_workers_output: 'no',
      ...settings,
      ...keyed('env', environment),
      ...keyed('php_admin_value', { display_errors: 'off', ...ini }),
    }),
  ].join('\n')
}

type Lines = Readonly<Record<string, string | number>>

const section = (name: string, lines: Lines): string[] => [
  `[${name}]`,
  ...Object.entries(lines).map(([key, value]) => `${key} = ${value}`),
  '',
]

/** PHP's ini syntax: a backslash keeps the quote's and its own meaning away. */
const quoted = (value: string | number): string => `"${String(value).replace(/["\\]/g, '\\$&')}"`

const keyed = (name: string, values: Lines): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [`${name}[${key}]`, quoted(value)]))
