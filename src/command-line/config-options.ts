import { type Group, type OptionSpec, option } from './option-spec.ts'

/** Of all who talk to a broker. */
const BROKER: Group = {
  commands: [
    'run',
    'publish',
    'config',
    'check',
    'ps',
    'pause',
    'resume',
    'drain',
    'reload',
    'dead-letters',
    'top',
  ],
  scope: 'process',
}
const QUEUE: Group = { commands: ['run', 'publish', 'config', 'invoke', 'check'], scope: 'bridge' }
const PROCESS: Group = { commands: ['run', 'config', 'check'], scope: 'process' }
const BRIDGE: Group = { commands: ['run', 'config', 'invoke', 'check'], scope: 'bridge' }

/** Those that describe a daemon, its broker, queues and pools: the environment and a config file may give them, too. */
export const CONFIG_OPTIONS: readonly OptionSpec[] = [
  option(
    BROKER,
    'url',
    { kind: 'list', default: 'amqp://guest:guest@127.0.0.1:5672', secret: true },
    'broker, amqp:// or amqps://; repeatable: a failover list; query: heartbeat (seconds, default 10), frame_max (bytes)',
  ),
  option(
    BRIDGE,
    'name',
    { defaultDescription: "the queue's name", ofOneBridge: true },
    'what the bridge is called in the log',
  ),
  option(
    { ...QUEUE, commands: [...QUEUE.commands, 'dead-letters'] },
    'queue',
    { alias: 'q', default: 'commands', ofOneBridge: true },
    'queue to consume, or to publish to; with dead-letters the one that they were given up from',
  ),
  option(QUEUE, 'queue-type', { default: 'classic' }, 'classic or quorum; used for queues that are declared'),
  option(
    QUEUE,
    'declare',
    { kind: 'flag', default: 'true' },
    'declare queues that do not exist (durable); --no-declare: they must exist',
  ),
  option(
    BROKER,
    'tls-ca',
    {},
    "PEM file: CA certificates to trust for amqps:, in place of Node.js' own list",
  ),
  option(
    BROKER,
    'tls-cert',
    {},
    'PEM file: client certificate for amqps:, then its chain; without a user in --url it logs in',
  ),
  option(BROKER, 'tls-key', {}, 'PEM file: private key of --tls-cert, not encrypted'),
  option(
    BROKER,
    'tls-insecure',
    { kind: 'flag', default: 'false' },
    "do not verify the brokers' certificates; for experiments only",
  ),
  option(
    BRIDGE,
    'socket',
    { alias: 's', defaultDescription: 'required' },
    "the pool's socket: /path/to.sock, unix:///path or host:port",
  ),
  option(
    BRIDGE,
    'script',
    { defaultDescription: 'required' },
    'absolute path of the worker script, as php-fpm sees it',
  ),
  option(
    { ...PROCESS, commands: [...PROCESS.commands, 'invoke'] },
    'daemon-id',
    { defaultDescription: 'D- and 8 random hex digits' },
    'tags every message; also consumer tag and connection name',
  ),
  option(
    BRIDGE,
    'ack',
    { default: 'dispatched' },
    "dispatched: ack when the whole request is in the pool's socket; completed: ack on success",
  ),
  option(
    BRIDGE,
    'payload',
    { default: 'form' },
    'form: JSON becomes $_POST; raw: body and content type as they are',
  ),
  option(BRIDGE, 'concurrency', { default: '4' }, 'requests in flight at most'),
  option(
    BRIDGE,
    'prefetch',
    { defaultDescription: 'as --concurrency; completed: half more; many messages in a request: 16 times' },
    'unacked deliveries held',
  ),
  option(
    BRIDGE,
    'messages-per-request',
    { default: '1' },
    'above 1, a request carries so many, one after the other, to a script that boots once (docs/many-messages.md)',
  ),
  option(
    BRIDGE,
    'request-lifetime',
    { default: '1s' },
    'with --messages-per-request, how long a request takes messages: a reload of php-fpm waits for it',
  ),
  option(
    BRIDGE,
    'keep-alive',
    { default: 'auto' },
    'reuse connections to the pool: on, off, or auto: not over TCP with --ack dispatched',
  ),
  option(BRIDGE, 'timeout', { default: '25m' }, 'time limit of one request as a whole; 0: none'),
  option(
    BRIDGE,
    'consumer-timeout',
    { default: '30m' },
    'how long the broker waits for an ack, its consumer_timeout; 0: for ever',
  ),
  option(
    BRIDGE,
    'max-attempts',
    { default: '5' },
    'with --ack completed, executions of one message before it is dead-lettered',
  ),
  option(
    BRIDGE,
    'retry-delay',
    { default: '1s' },
    'with --ack completed, the pause before the second attempt; doubled before each further one',
  ),
  option(
    BRIDGE,
    'retry-max-delay',
    { default: '10m' },
    'with --ack completed, the longest pause between two attempts',
  ),
  option(
    BRIDGE,
    'require-marker',
    { kind: 'flag', default: 'false' },
    'with --ack completed, success needs the response header X-Bridge-Outcome: ack',
  ),
  option(
    { ...BRIDGE, commands: [...BRIDGE.commands, 'dead-letters'] },
    'dead-letter-queue',
    { defaultDescription: '<queue>.dead' },
    'where messages go that are given up',
  ),
  option(
    BRIDGE,
    'allow-transient-queue',
    { kind: 'flag', default: 'false' },
    'take queues that lose their messages (auto-delete, not durable, expiring), with a warning',
  ),
  option(
    BRIDGE,
    'replies',
    { kind: 'flag', default: 'false' },
    'answer messages with a reply_to: with what the worker has answered, or why there is no answer',
  ),
  option(
    BRIDGE,
    'reply-allow',
    { kind: 'list', defaultDescription: 'amq.rabbitmq.reply-to.*' },
    'with --replies, the queues that answers may go to; * stands for anything; repeatable',
  ),
  option(BRIDGE, 'max-body', { default: '128MiB' }, 'larger bodies are not executed but dead-lettered'),
  option(
    BRIDGE,
    'max-bytes-in-flight',
    { default: '256MiB' },
    'of requests, from which on no more are dispatched; with --payload form, JSON counts four times',
  ),
  option(
    BRIDGE,
    'max-response',
    { default: '1MiB' },
    'how much of an answer is kept; the rest is read and dropped',
  ),
  option(
    BRIDGE,
    'max-stderr',
    { default: '64KiB' },
    "how much of a worker's stderr is kept; the rest is read and dropped",
  ),
  option(
    BRIDGE,
    'status-path',
    { default: '/status' },
    "the pool's pm.status_path; tells what kind of pool it is",
  ),
  option(BRIDGE, 'ping-path', { default: '/ping' }, "the pool's ping.path; asked once at start"),
  option(
    PROCESS,
    'drain-timeout',
    { default: '30s' },
    'after SIGTERM, SIGINT or SIGQUIT, the time for what is in flight',
  ),
  option(
    BRIDGE,
    'transport',
    { default: 'native' },
    'FastCGI client: native, or fastcgi-client (the npm package; no timeout, no keep-alive)',
  ),
  option(PROCESS, 'log-level', { default: 'info' }, 'error, warn, info or debug'),
  option(
    PROCESS,
    'log-format',
    { default: 'auto' },
    'json, text, or auto: text on a terminal, JSON otherwise',
  ),
  option(
    PROCESS,
    'log-messages',
    { default: 'all' },
    'all, or failures: a message that succeeds has its line at level debug only',
  ),
  option(
    PROCESS,
    'admin',
    { defaultDescription: 'off' },
    'host:port or path of a Unix socket: serves /livez, /readyz, /status and /metrics',
  ),
  option(
    PROCESS,
    'admin-token-file',
    {},
    'file with the bearer token that requests to --admin must bring; 16 characters at least',
  ),
  option(
    PROCESS,
    'admin-open',
    { kind: 'flag', default: 'false' },
    'let --admin be reached from other machines, and under any name, without a token',
  ),
  option(
    PROCESS,
    'control',
    { kind: 'flag', default: 'false' },
    'obey what operators say by way of the broker: ping, pause, resume, drain, reload',
  ),
  option(
    PROCESS,
    'instances',
    { default: '1' },
    'processes; from 2 on, one more starts, replaces and ends them',
  ),
  option(
    PROCESS,
    'max-messages',
    {},
    'a new process takes the place of one after so many messages and 20 to 50 more; one that is alone exits',
  ),
  option(PROCESS, 'max-memory', {}, 'the same, when its resident memory passes this size'),
  option(
    PROCESS,
    'record-file',
    {},
    'a record of each process that ends is appended to it, a line of JSON; its folder must exist',
  ),
]

/** Everybody's who reads those above, and the last in `--help`. */
export const CONFIG_FILE: OptionSpec = option(
  { ...BROKER, commands: [...BROKER.commands, 'invoke'] },
  'config',
  {},
  'YAML or JSON file; its keys are the names of these options, and bridges: for several bridges',
)
