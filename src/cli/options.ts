export type CommandName = 'run' | 'publish'

/** One row of the option table: command line, environment, config file, `--help` and the docs follow from it. */
export interface OptionSpec {
  readonly name: string
  readonly alias?: string
  readonly commands: readonly CommandName[]
  /** `flag` takes no value on the command line; `list` may be given several times. */
  readonly kind: 'value' | 'list' | 'flag'
  /** As an operator would write it. */
  readonly default?: string
  /** What stands in for a default that is made up or derived. */
  readonly defaultDescription?: string
  readonly description: string
  /** Only on the command line: neither in the environment nor in a config file. */
  readonly commandLineOnly?: true
  /** Also read from the file that `FPM_BRIDGE_<NAME>_FILE` names. */
  readonly secret?: true
}

const BOTH: readonly CommandName[] = ['run', 'publish']
const RUN: readonly CommandName[] = ['run']
const PUBLISH: readonly CommandName[] = ['publish']

/** The one option table. */
export const OPTIONS: readonly OptionSpec[] = [
  {
    name: 'url',
    commands: BOTH,
    kind: 'value',
    default: 'amqp://guest:guest@127.0.0.1:5672',
    secret: true,
    description: 'broker; query: heartbeat (seconds, default 10), frame_max (bytes)',
  },
  { name: 'queue', alias: 'q', commands: BOTH, kind: 'value', default: 'commands', description: 'queue' },
  {
    name: 'queue-type',
    commands: BOTH,
    kind: 'value',
    default: 'classic',
    description: 'classic or quorum; used for queues that are declared',
  },
  {
    name: 'declare',
    commands: BOTH,
    kind: 'flag',
    default: 'true',
    description: 'declare queues that do not exist (durable); --no-declare: they must exist',
  },
  {
    name: 'socket',
    alias: 's',
    commands: RUN,
    kind: 'value',
    description: "the pool's socket: /path/to.sock, unix:///path or host:port",
  },
  {
    name: 'script',
    commands: RUN,
    kind: 'value',
    description: 'absolute path of the worker script, as php-fpm sees it',
  },
  {
    name: 'daemon-id',
    commands: RUN,
    kind: 'value',
    defaultDescription: 'D- and 8 random hex digits',
    description: 'tags every message; also consumer tag and connection name',
  },
  {
    name: 'ack',
    commands: RUN,
    kind: 'value',
    default: 'dispatched',
    description: "dispatched: ack when the whole request is in the pool's socket; completed: ack on success",
  },
  {
    name: 'payload',
    commands: RUN,
    kind: 'value',
    default: 'form',
    description: 'form: JSON becomes $_POST; raw: body and content type as they are',
  },
  {
    name: 'concurrency',
    commands: RUN,
    kind: 'value',
    default: '4',
    description: 'requests in flight at most',
  },
  {
    name: 'prefetch',
    commands: RUN,
    kind: 'value',
    defaultDescription: 'as --concurrency',
    description: 'unacked deliveries held',
  },
  {
    name: 'keep-alive',
    commands: RUN,
    kind: 'value',
    default: 'auto',
    description: 'reuse connections to the pool: on, off, or auto: with --ack completed',
  },
  {
    name: 'timeout',
    commands: RUN,
    kind: 'value',
    default: '25m',
    description: 'for one request as a whole; 0: none',
  },
  {
    name: 'dead-letter-queue',
    commands: RUN,
    kind: 'value',
    defaultDescription: '<queue>.dead',
    description: 'where messages go that cannot be executed',
  },
  {
    name: 'max-response',
    commands: RUN,
    kind: 'value',
    default: '1MiB',
    description: 'kept of an answer; the rest is read and dropped',
  },
  {
    name: 'max-stderr',
    commands: RUN,
    kind: 'value',
    default: '64KiB',
    description: "kept of a worker's stderr; the rest is read and dropped",
  },
  {
    name: 'status-path',
    commands: RUN,
    kind: 'value',
    default: '/status',
    description: "the pool's pm.status_path; tells what kind of pool it is",
  },
  {
    name: 'ping-path',
    commands: RUN,
    kind: 'value',
    default: '/ping',
    description: "the pool's ping.path; asked once at start",
  },
  {
    name: 'drain-timeout',
    commands: RUN,
    kind: 'value',
    default: '30s',
    description: 'after SIGTERM or SIGINT, the time for what is in flight',
  },
  {
    name: 'transport',
    commands: RUN,
    kind: 'value',
    default: 'native',
    description: 'FastCGI client: native, or fastcgi-client (the npm package; no timeout, no keep-alive)',
  },
  {
    name: 'log-level',
    commands: RUN,
    kind: 'value',
    default: 'info',
    description: 'error, warn, info or debug',
  },
  {
    name: 'log-format',
    commands: RUN,
    kind: 'value',
    default: 'auto',
    description: 'json, text, or auto: text on a terminal, JSON otherwise',
  },
  {
    name: 'body',
    commands: PUBLISH,
    kind: 'value',
    commandLineOnly: true,
    description: 'template of the messages; {n} stands for 1, 2, ... up to --count',
  },
  {
    name: 'count',
    commands: PUBLISH,
    kind: 'value',
    defaultDescription: '1',
    commandLineOnly: true,
    description: 'how many messages to make from --body',
  },
  {
    name: 'content-type',
    commands: PUBLISH,
    kind: 'value',
    default: 'application/json',
    commandLineOnly: true,
    description: 'content type of the messages; JSON is checked before it is sent',
  },
  {
    name: 'header',
    commands: PUBLISH,
    kind: 'list',
    commandLineOnly: true,
    description: 'a header, name=value; repeatable',
  },
  {
    name: 'property',
    commands: PUBLISH,
    kind: 'list',
    commandLineOnly: true,
    description: 'a basic property, name=value (message_id, correlation_id, type, ...); repeatable',
  },
  {
    name: 'verbose',
    commands: PUBLISH,
    kind: 'flag',
    default: 'false',
    commandLineOnly: true,
    description: 'a line for each message',
  },
  {
    name: 'config',
    commands: BOTH,
    kind: 'value',
    description: 'YAML or JSON file; its keys are the names of these options',
  },
]

/** The environment variable of an option. */
export function environmentName(option: string): string {
  return `FPM_BRIDGE_${option.toUpperCase().replaceAll('-', '_')}`
}
