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
  /** Of the process, of one bridge, or only on the command line: neither in the environment nor in a config file. */
  readonly scope: 'process' | 'bridge' | 'command-line'
  /** Whether no two bridges can have the same. */
  readonly ofOneBridge?: true
  /** Also read from the file that `FPM_BRIDGE_<NAME>_FILE` names. */
  readonly secret?: true
}

type Group = Pick<OptionSpec, 'commands' | 'scope'>
type Details = Partial<Omit<OptionSpec, 'name' | 'description' | keyof Group>>

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
const PUBLISH: Group = { commands: ['publish'], scope: 'command-line' }
/** What operators tell daemons by way of the broker. */
const CONTROL: Pick<Group, 'scope'> = { scope: 'command-line' }
const INVOKE: Group = { commands: ['invoke'], scope: 'command-line' }
const TOP: Group = { commands: ['top'], scope: 'command-line' }
const CONFIG: Group = { commands: ['config'], scope: 'command-line' }
const CHECK: Group = { commands: ['check'], scope: 'command-line' }
const LETTERS: Group = { commands: ['dead-letters'], scope: 'command-line' }

function option(group: Group, name: string, details: Details, description: string): OptionSpec {
  return { name, ...group, kind: 'value', ...details, description }
}

/** The one option table. */
export const OPTIONS: readonly OptionSpec[] = [
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
  option(PUBLISH, 'body', {}, 'template of the messages; {n} stands for 1, 2, ... up to --count'),
  option(PUBLISH, 'count', { defaultDescription: '1' }, 'how many messages to make from --body'),
  option(
    PUBLISH,
    'content-type',
    { default: 'application/json' },
    'content type of the messages; JSON is checked before it is sent',
  ),
  option(
    { ...PUBLISH, commands: ['publish', 'invoke'] },
    'header',
    { kind: 'list' },
    'a header, name=value; repeatable',
  ),
  option(
    { ...PUBLISH, commands: ['publish', 'invoke'] },
    'property',
    { kind: 'list' },
    'a basic property, name=value (message_id, correlation_id, type, ...); repeatable',
  ),
  option(
    PUBLISH,
    'wait-reply',
    {},
    'wait so long for the answer to each message: its body goes to standard output, its status to standard error',
  ),
  option(PUBLISH, 'verbose', { kind: 'flag', default: 'false' }, 'a line for each message'),
  option(
    { ...CONTROL, commands: ['ps', 'resume', 'drain', 'reload', 'top'] },
    'queue',
    { alias: 'q', defaultDescription: 'all' },
    'the queue that is meant',
  ),
  option({ ...CONTROL, commands: ['pause'] }, 'queue', { alias: 'q' }, 'the queue to pause'),
  option(
    { ...CONTROL, commands: ['resume', 'drain', 'reload'] },
    'daemon',
    { defaultDescription: 'all' },
    'the daemon that is meant, by its id',
  ),
  option({ ...CONTROL, commands: ['pause'] }, 'reason', {}, 'why, for those who find the queue paused'),
  option(
    { ...CONTROL, commands: ['pause'] },
    'for',
    { defaultDescription: 'until it is resumed' },
    'for how long: the pause ends by itself',
  ),
  option(
    { ...CONTROL, commands: ['drain'] },
    'wait',
    { kind: 'flag', default: 'false' },
    'wait until all have drained; exit code 75 where that takes too long',
  ),
  option({ ...CONTROL, commands: ['drain'] }, 'wait-timeout', { default: '5m' }, 'how long --wait waits'),
  option(
    { ...CONTROL, commands: ['ps', 'pause', 'resume', 'drain', 'reload'] },
    'json',
    { kind: 'flag', default: 'false' },
    'print JSON: a line for each daemon',
  ),
  option(INVOKE, 'file', {}, 'file that is the message; -: standard input'),
  option(
    INVOKE,
    'content-type',
    { default: 'application/json' },
    'content type of the message, which the worker gets with --payload raw',
  ),
  option(
    INVOKE,
    'attempt',
    { default: '1' },
    'with --ack completed, which execution of the message it is, as far as the worker is told',
  ),
  option(
    INVOKE,
    'repeat',
    {},
    'execute the message so often, --concurrency at a time, and print quantiles in place of answers',
  ),
  option(INVOKE, 'json', { kind: 'flag', default: 'false' }, 'print JSON'),
  option(
    TOP,
    'admin',
    {},
    "host:port or path of a Unix socket: see the process, or the fleet, that listens there, in place of the broker's",
  ),
  option(TOP, 'admin-token-file', {}, 'with --admin, file with the bearer token that it asks for'),
  option(TOP, 'once', { kind: 'flag', default: 'false' }, 'print one picture, as without a terminal'),
  option(CONFIG, 'check', { kind: 'flag', default: 'false' }, 'print nothing but what is wrong'),
  option(CONFIG, 'json', { kind: 'flag', default: 'false' }, 'print JSON'),
  option(
    CHECK,
    'probe',
    { kind: 'flag', default: 'false' },
    'execute the script once, without a message, also where it may not know that nothing is to be done; ask the broker for its time',
  ),
  option(CHECK, 'json', { kind: 'flag', default: 'false' }, 'print JSON: a line for each finding'),
  option(CONFIG, 'schema', { kind: 'flag', default: 'false' }, 'print the JSON Schema of a config file'),
  option(LETTERS, 'reason', {}, 'those whose reason has this in it'),
  option(LETTERS, 'since', {}, 'those that died since then: a date, or a time ago such as 2h or 7d'),
  option(LETTERS, 'until', {}, 'those that died before: a date, or a time ago such as 2h or 7d'),
  option(LETTERS, 'all', { kind: 'flag', default: 'false' }, 'replay: all of them'),
  option(LETTERS, 'to', { defaultDescription: 'where each came from' }, 'replay, edit: the queue they go to'),
  option(
    LETTERS,
    'rate',
    { defaultDescription: 'none' },
    'replay: so many and no more, such as 100/s or 5/m',
  ),
  option(
    LETTERS,
    'dry-run',
    { kind: 'flag', default: 'false' },
    'replay: say what would go where, and do nothing',
  ),
  option(LETTERS, 'group', { kind: 'flag', default: 'false' }, 'list: count those that failed alike'),
  option(LETTERS, 'json', { kind: 'flag', default: 'false' }, 'list, show: print JSON'),
  option(
    LETTERS,
    'file',
    { defaultDescription: 'standard output or input' },
    'export, import: the file; an export replaces none',
  ),
  option(LETTERS, 'yes', { kind: 'flag', default: 'false' }, 'delete, purge: do not ask'),
  option(
    LETTERS,
    'delivery-limit',
    { defaultDescription: 'as the queue says' },
    'how often the quorum queue lets a message come back, where a policy says so: clients cannot see it',
  ),
  option(
    { ...BROKER, commands: [...BROKER.commands, 'invoke'] },
    'config',
    {},
    'YAML or JSON file; its keys are the names of these options, and bridges: for several bridges',
  ),
]

/** The environment variable of an option. */
export function environmentName(option: string): string {
  return `FPM_BRIDGE_${option.toUpperCase().replaceAll('-', '_')}`
}
