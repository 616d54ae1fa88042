export interface PoolOptions {
  /** Where the pool listens; default `unix`. */
  readonly listen?: 'unix' | 'tcp'
  /** Default `static`. */
  readonly pm?: 'static' | 'ondemand' | 'dynamic'
  /** pm.max_children; default 4. */
  readonly children?: number
  /** More lines of the pool section, such as `{ 'pm.max_requests': 10, 'listen.backlog': 4 }`. */
  readonly settings?: Readonly<Record<string, string | number>>
  /** PHP ini values that a script cannot change, such as `{ post_max_size: '1M', display_errors: 'on' }`. */
  readonly ini?: Readonly<Record<string, string | number>>
  /** The environment of the children, which is all they have; default empty. */
  readonly environment?: Readonly<Record<string, string>>
  /** More lines of the global section, such as `{ process_control_timeout: '5s' }`. */
  readonly global?: Readonly<Record<string, string | number>>
  /** Whether the children share an opcode cache, as in production; default no. */
  readonly opcache?: boolean
  /** Extensions that Debian does not build into PHP, such as `['mbstring']`; default none. */
  readonly extensions?: readonly string[]
}

/** Where a pool is: plain data, so that a test file can be told of the shared one. */
export interface PoolAddress {
  /** A path, or `127.0.0.1:port`: what `--socket` takes. */
  readonly socket: string
  /** The status page's own socket, answered while all children are busy. */
  readonly statusSocket: string
  /** The pool's folder; its owner removes it. */
  readonly directory: string
}

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
