import { type Group, type OptionSpec, option } from './option-spec.ts'

const PUBLISH: Group = { commands: ['publish'], scope: 'command-line' }
/** What operators tell daemons by way of the broker. */
const CONTROL: Pick<Group, 'scope'> = { scope: 'command-line' }
const INVOKE: Group = { commands: ['invoke'], scope: 'command-line' }
const TOP: Group = { commands: ['top'], scope: 'command-line' }
const CONFIG: Group = { commands: ['config'], scope: 'command-line' }
const CHECK: Group = { commands: ['check'], scope: 'command-line' }
const LETTERS: Group = { commands: ['dead-letters'], scope: 'command-line' }

/** Those that say what a command is to do this time: given on the command line alone. */
export const COMMAND_OPTIONS: readonly OptionSpec[] = [
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
  option(
    LETTERS,
    'lines',
    { defaultDescription: 'all' },
    'import: these lines and no others, such as 12- or 3,7-9,20-',
  ),
  option(LETTERS, 'yes', { kind: 'flag', default: 'false' }, 'delete, purge: do not ask'),
  option(
    LETTERS,
    'delivery-limit',
    { defaultDescription: 'as the queue says' },
    'how often the quorum queue lets a message come back, where a policy says so: clients cannot see it',
  ),
]
