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
    name: 'config',
    usage: '[--check]',
    summary: 'print the configuration of run, and where each value comes from',
    examples: [['config --config /etc/fpm-bridge.yaml --check', 'say what is wrong with a file']],
    load: async () => (await import('./config/config.ts')).config,
  },
]
