/** One row of the option table: command line, environment, config file, `--help` and the docs follow from it. */
export interface OptionSpec {
  readonly name: string
  readonly alias?: string
  /** Names in the registry of commands. */
  readonly commands: readonly string[]
  /** `flag` takes no value on the command line; `list` may be given several times. */
  readonly kind: 'value' | 'list' | 'flag'
  /** As an operator would write it. */
  readonly default?: string
  /** What stands in for a default that is made up or derived, or that there is none. */
  readonly defaultDescription?: string
  readonly description: string
  /** Only on the command line: neither in the environment nor in a config file. */
  readonly commandLineOnly?: true
  /** Also read from the file that `FPM_BRIDGE_<NAME>_FILE` names. */
  readonly secret?: true
}

const BOTH: readonly string[] = ['run', 'publish']
const RUN: readonly string[] = ['run']
const PUBLISH: readonly string[] = ['publish']

type Details = Partial<Omit<OptionSpec, 'name' | 'commands' | 'description'>>

function option(
  commands: readonly string[],
  name: string,
  details: Details,
  description: string,
): OptionSpec {
  return { name, commands, kind: 'value', ...details, description }
}

/** The one option table. */
export const OPTIONS: readonly OptionSpec[] = [
  option(
    BOTH,
    'url',
    { kind: 'list', default: 'amqp://guest:guest@127.0.0.1:5672', secret: true },
    'broker, amqp:// or amqps://; repeatable: a failover list; query: heartbeat (seconds, default 10), frame_max (bytes)',
  ),
  option(BOTH, 'queue', { alias: 'q', default: 'commands' }, 'queue to consume, or to publish to'),
  option(BOTH, 'queue-type', { default: 'classic' }, 'classic or quorum; used for queues that are declared'),
  option(
    BOTH,
    'declare',
    { kind: 'flag', default: 'true' },
    'declare queues that do not exist (durable); --no-declare: they must exist',
  ),
  option(BOTH, 'tls-ca', {}, "PEM file: CA certificates to trust for amqps:, in place of Node.js' own list"),
  option(
    BOTH,
    'tls-cert',
    {},
    'PEM file: client certificate for amqps:, then its chain; without a user in --url it logs in',
  ),
  option(BOTH, 'tls-key', {}, 'PEM file: private key of --tls-cert, not encrypted'),
  option(
    BOTH,
    'tls-insecure',
    { kind: 'flag', default: 'false' },
    "do not verify the brokers' certificates; for experiments only",
  ),
  option(
    RUN,
    'socket',
    { alias: 's', defaultDescription: 'required' },
    "the pool's socket: /path/to.sock, unix:///path or host:port",
  ),
  option(
    RUN,
    'script',
    { defaultDescription: 'required' },
    'absolute path of the worker script, as php-fpm sees it',
  ),
  option(
    RUN,
    'daemon-id',
    { defaultDescription: 'D- and 8 random hex digits' },
    'tags every message; also consumer tag and connection name',
  ),
  option(
    RUN,
    'ack',
    { default: 'dispatched' },
    "dispatched: ack when the whole request is in the pool's socket; completed: ack on success",
  ),
  option(
    RUN,
    'payload',
    { default: 'form' },
    'form: JSON becomes $_POST; raw: body and content type as they are',
  ),
  option(RUN, 'concurrency', { default: '4' }, 'requests in flight at most'),
  option(
    RUN,
    'prefetch',
    { defaultDescription: 'as --concurrency; completed: half more' },
    'unacked deliveries held',
  ),
  option(
    RUN,
    'keep-alive',
    { default: 'auto' },
    'reuse connections to the pool: on, off, or auto: not over TCP with --ack dispatched',
  ),
  option(RUN, 'timeout', { default: '25m' }, 'time limit of one request as a whole; 0: none'),
  option(
    RUN,
    'consumer-timeout',
    { default: '30m' },
    'how long the broker waits for an ack, its consumer_timeout; 0: for ever',
  ),
  option(
    RUN,
    'max-attempts',
    { default: '5' },
    'with --ack completed, executions of one message before it is dead-lettered',
  ),
  option(
    RUN,
    'retry-delay',
    { default: '1s' },
    'with --ack completed, the pause before the second attempt; doubled before each further one',
  ),
  option(
    RUN,
    'retry-max-delay',
    { default: '10m' },
    'with --ack completed, the longest pause between two attempts',
  ),
  option(
    RUN,
    'require-marker',
    { kind: 'flag', default: 'false' },
    'with --ack completed, success needs the response header X-Bridge-Outcome: ack',
  ),
  option(
    RUN,
    'dead-letter-queue',
    { defaultDescription: '<queue>.dead' },
    'where messages go that are given up',
  ),
  option(
    RUN,
    'allow-transient-queue',
    { kind: 'flag', default: 'false' },
    'take queues that lose their messages (auto-delete, not durable, expiring), with a warning',
  ),
  option(RUN, 'max-body', { default: '128MiB' }, 'larger bodies are not executed but dead-lettered'),
  option(
    RUN,
    'max-bytes-in-flight',
    { default: '256MiB' },
    'of requests, from which on no more are dispatched; with --payload form, JSON counts four times',
  ),
  option(
    RUN,
    'max-response',
    { default: '1MiB' },
    'how much of an answer is kept; the rest is read and dropped',
  ),
  option(
    RUN,
    'max-stderr',
    { default: '64KiB' },
    "how much of a worker's stderr is kept; the rest is read and dropped",
  ),
  option(
    RUN,
    'status-path',
    { default: '/status' },
    "the pool's pm.status_path; tells what kind of pool it is",
  ),
  option(RUN, 'ping-path', { default: '/ping' }, "the pool's ping.path; asked once at start"),
  option(
    RUN,
    'drain-timeout',
    { default: '30s' },
    'after SIGTERM, SIGINT or SIGQUIT, the time for what is in flight',
  ),
  option(
    RUN,
    'transport',
    { default: 'native' },
    'FastCGI client: native, or fastcgi-client (the npm package; no timeout, no keep-alive)',
  ),
  option(RUN, 'log-level', { default: 'info' }, 'error, warn, info or debug'),
  option(RUN, 'log-format', { default: 'auto' }, 'json, text, or auto: text on a terminal, JSON otherwise'),
  option(
    PUBLISH,
    'body',
    { commandLineOnly: true },
    'template of the messages; {n} stands for 1, 2, ... up to --count',
  ),
  option(
    PUBLISH,
    'count',
    { defaultDescription: '1', commandLineOnly: true },
    'how many messages to make from --body',
  ),
  option(
    PUBLISH,
    'content-type',
    { default: 'application/json', commandLineOnly: true },
    'content type of the messages; JSON is checked before it is sent',
  ),
  option(PUBLISH, 'header', { kind: 'list', commandLineOnly: true }, 'a header, name=value; repeatable'),
  option(
    PUBLISH,
    'property',
    { kind: 'list', commandLineOnly: true },
    'a basic property, name=value (message_id, correlation_id, type, ...); repeatable',
  ),
  option(
    PUBLISH,
    'verbose',
    { kind: 'flag', default: 'false', commandLineOnly: true },
    'a line for each message',
  ),
  option(BOTH, 'config', {}, 'YAML or JSON file; its keys are the names of these options'),
]

/** The environment variable of an option. */
export function environmentName(option: string): string {
  return `FPM_BRIDGE_${option.toUpperCase().replaceAll('-', '_')}`
}
