import yargs from 'yargs'
import { ALL_KINDS, type FaultKind } from './fault-kinds.ts'

export interface ChaosOptions {
  readonly mode: 'completed' | 'dispatched'
  /** At least so many are published; the flow goes on until the last fault has been recovered from. */
  readonly messages: number
  /** Messages per second. */
  readonly rate: number
  readonly faults: number
  readonly seed: number
  readonly queueType: 'classic' | 'quorum'
  readonly only: readonly FaultKind[]
  /** Where the result goes, for programs. */
  readonly json: string | undefined
  /** Whether to install missing packages without asking. */
  readonly yes: boolean
}

const LARGEST_SEED = 2 ** 31 - 1

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

  return {
    mode: parsed.mode,
    messages: integer('messages', parsed.messages, 1, 10_000_000),
    rate: integer('rate', parsed.rate, 1, 5_000),
    faults: integer('faults', parsed.faults, 0, 10_000),
    seed: integer('seed', parsed.seed ?? Math.floor(Math.random() * LARGEST_SEED), 0, LARGEST_SEED),
    queueType: parsed['queue-type'] as ChaosOptions['queueType'],
    only: parsed.only === undefined ? ALL_KINDS : kinds(parsed.only),
    json: parsed.json,
    yes: parsed.yes,
  }
}

function kinds(list: string): FaultKind[] {
  const names = list.split(',').map((name) => name.trim())
  const unknown = names.find((name) => !isKind(name))
  if (unknown !== undefined) refuse(`--only ${unknown} is none of ${ALL_KINDS.join(', ')}.`)
  return names.filter(isKind)
}

const isKind = (name: string): name is FaultKind => (ALL_KINDS as readonly string[]).includes(name)

function integer(option: string, value: unknown, least: number, most: number): number {
  // An option that is given twice is an array, and one without its value is NaN.
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  return refuse(`--${option} takes a whole number from ${least} to ${most}.`)
}

function refuse(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(64)
}
