import yargs from 'yargs'
import { ALL_KINDS, type FaultKind, kindsIn } from './fault-kinds.ts'
import { names, refuse, seedOf, wholeNumber } from './option-values.ts'

export interface ChaosOptions {
  readonly mode: 'completed' | 'dispatched'
  /** At least so many are published; the flow goes on until the last fault has been recovered from. */
  readonly messages: number
  /** Messages per second. */
  readonly rate: number
  readonly faults: number
  readonly seed: number
  readonly queueType: 'classic' | 'quorum'
  /** 1: each message is a request of its own. */
  readonly messagesPerRequest: number
  readonly only: readonly FaultKind[]
  /** Where the result goes, for programs. */
  readonly json: string | undefined
  /** Whether to install missing packages without asking. */
  readonly yes: boolean
}

/** Reads the command line. Prints the help and exits 0, or one line about what is wrong and exits 64, where it must. */
export function readOptions(args: readonly string[]): ChaosOptions {
  const parsed = yargs([...args])
    .scriptName('npm run chaos --')
    .usage(
      '$0 [options]\n\nPublishes messages at a steady rate, breaks broker, links, pool, workers and daemons while three daemons ' +
        'have them executed, and compares what was published with what was executed, message by message.',
    )
    .option('mode', {
      choices: ['completed', 'dispatched'] as const,
      default: 'completed' as const,
      describe: "the daemons' --ack",
    })
    .option('messages', {
      type: 'number',
      default: 100_000,
      describe: 'published at least; the flow goes on until the last fault is over',
    })
    .option('rate', { type: 'number', default: 150, describe: 'messages per second' })
    .option('faults', { type: 'number', default: 100, describe: 'faults injected' })
    .option('seed', { type: 'number', describe: 'repeats the schedule of another run; otherwise made up' })
    .option('queue-type', {
      choices: ['classic', 'quorum'] as const,
      default: 'classic' as const,
      describe: 'type of the queue, and --queue-type of the daemons',
    })
    .option('messages-per-request', {
      type: 'number',
      default: 1,
      describe: "the daemons' own; above 1, the worker is one of the composer package",
    })
    .option('only', {
      type: 'string',
      describe: `kinds of faults, separated by commas: ${ALL_KINDS.join(', ')}`,
    })
    .option('json', { type: 'string', describe: 'file that the result goes to' })
    .option('yes', { type: 'boolean', default: false, describe: 'install missing packages without asking' })
    .strict()
    .version(false)
    .fail((message, error) => refuse(message || String(error)))
    .parseSync()

  const only = kindsIn(
    parsed.mode,
    parsed.only === undefined ? ALL_KINDS : names('only', parsed.only, ALL_KINDS),
  )
  if (only.length === 0) refuse(`--only ${parsed.only} does not occur with --mode ${parsed.mode}.`)
  return {
    mode: parsed.mode,
    messages: wholeNumber('messages', parsed.messages, 1, 10_000_000),
    rate: wholeNumber('rate', parsed.rate, 1, 5_000),
    faults: wholeNumber('faults', parsed.faults, 0, 10_000),
    seed: seedOf(parsed.seed),
    queueType: parsed['queue-type'] as ChaosOptions['queueType'],
    messagesPerRequest: wholeNumber('messages-per-request', parsed['messages-per-request'], 1, 1_000_000),
    only,
    json: parsed.json,
    yes: parsed.yes,
  }
}
