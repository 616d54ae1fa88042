import type { Command } from './command.ts'

/** The registry: parser, help and documentation follow from it, and from the option table, whose rows name their commands. */
export const COMMANDS: readonly Command[] = [
  {
    name: 'run',
    byDefault: true,
    usage: '--socket PATH --script PATH',
    summary: 'consume the queue and have php-fpm execute each message',
    load: async () => (await import('./start.ts')).start,
  },
  {
    name: 'publish',
    usage: '[MESSAGE...]',
    summary: 'publish messages, confirmed and routed',
    words: { name: 'messages', description: 'one body each; without any: lines of standard input' },
    examples: [
      [`publish '{"number": 7}'`, 'one message'],
      [`publish --count 100 --body '{"number":"{n}"}'`, 'a hundred'],
      ['publish < messages.jsonl', 'one message a line'],
      [`publish --wait-reply 10s '{"number": 7}'`, 'one message, and its answer'],
    ],
    load: async () => (await import('./publish/publish.ts')).publish,
  },
  {
    name: 'check',
    usage: '--socket PATH --script PATH',
    summary: 'look at all that run would need: configuration, broker, queues, pool, script, PHP settings',
    examples: [
      ['check --config /etc/fpm-bridge.yaml', 'say what is wrong, and what to do, before the first message'],
    ],
    load: async () => (await import('./check/check.ts')).check,
  },
  {
    name: 'ps',
    usage: '[--queue QUEUE]',
    summary: 'list the daemons that run with --control, and how they are',
    examples: [['ps --json | jq', 'the same, a line of JSON for each daemon']],
    load: async () => (await import('./control/ps.ts')).ps,
  },
  {
    name: 'pause',
    usage: '--queue QUEUE',
    summary: 'have all daemons leave a queue alone',
    examples: [['pause --queue invoices --for 30m --reason migration', 'for half an hour']],
    load: async () => (await import('./control/pause.ts')).pause,
  },
  {
    name: 'resume',
    usage: '[--queue QUEUE]',
    summary: 'end a pause, or a drain',
    examples: [['resume --queue invoices', 'end its pause']],
    load: async () => (await import('./control/resume.ts')).resume,
  },
  {
    name: 'drain',
    usage: '[--wait]',
    summary: 'have daemons settle what they have, and take no more',
    examples: [['drain --wait && deploy.sh && fpm-bridge resume', 'nothing runs while files change']],
    load: async () => (await import('./control/drain.ts')).drain,
  },
  {
    name: 'reload',
    usage: '[--daemon ID]',
    summary: 'have daemons read their configuration again, as SIGHUP does',
    load: async () => (await import('./control/reload.ts')).reload,
  },
  {
    name: 'top',
    usage: '[--queue QUEUE]',
    summary: 'watch the daemons that run with --control, live',
    examples: [['top --admin 127.0.0.1:9127', 'one process, or one fleet, by its --admin']],
    load: async () => (await import('./top/top.ts')).top,
  },
  {
    name: 'invoke',
    usage: '--socket PATH --script PATH [MESSAGE]',
    summary: 'have the pool execute a message, without a broker, and say what would become of it',
    words: { name: 'message', description: 'its body; without one and without --file: standard input' },
    examples: [
      [`invoke -s /run/php/commands.sock --script /srv/app/worker.php '{"number": 7}'`, 'once'],
      ['invoke --config /etc/fpm-bridge.yaml --name mails --file mail.json', 'as one bridge of a file'],
      ['invoke --file mail.json --repeat 1000 --concurrency 8', 'a small load test'],
    ],
    load: async () => (await import('./invoke/invoke.ts')).invoke,
  },
  {
    name: 'dead-letters',
    usage: 'ACTION [ID...]',
    summary: 'look at what was given up, put it right, and run it again',
    words: {
      name: 'action',
      description:
        'list, show ID, replay, edit ID, delete ID..., purge, export or import; then ids or groups',
    },
    examples: [
      ['dead-letters list --group', 'what has failed, and how often'],
      ['dead-letters show 3fa9', 'one letter, by the beginning of its id'],
      ['dead-letters replay --reason "status 500" --rate 50/s', 'run them again, not all at once'],
      ['dead-letters replay --all --dead-letter-queue failed --to orders', 'of any queue'],
    ],
    load: async () => (await import('./dead-letters/dead-letters.ts')).deadLetters,
  },
  {
    name: 'config',
    usage: '[--check]',
    summary: 'print the configuration of run, and where each value comes from',
    examples: [['config --config /etc/fpm-bridge.yaml --check', 'say what is wrong with a file']],
    load: async () => (await import('./config/config.ts')).config,
  },
]
