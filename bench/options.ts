import { fileURLToPath } from 'node:url'
import yargs from 'yargs'

export const SECTIONS = [
  'start',
  'throughput',
  'modes',
  'many',
  'frameworks',
  'latency',
  'children',
  'memory',
  'bodies',
  'form',
] as const
export type Section = (typeof SECTIONS)[number]

export interface BenchOptions {
  readonly only: readonly Section[]
  /** In each round of the fastest contestants; slower ones get a share. */
  readonly messages: number
  readonly rounds: number
  /** Whether the memory section takes a million messages. */
  readonly million: boolean
  /** A checkout of another version, built, to compare with in the sections `start` and `modes`. */
  readonly before: string | undefined
  /** Where the results go. */
  readonly json: string
  /** Whether docs/bench.svg is drawn. */
  readonly svg: boolean
}

const resultsFile = fileURLToPath(new URL('results.json', import.meta.url))

/** Fewer are emptied between two looks at the queue. */
const FEWEST_MESSAGES = 10_000

/** Reads the command line. Prints the help and exits 0, or one line about what is wrong and exits 64, where it must. */
export function readOptions(args: readonly string[]): BenchOptions {
  const parsed = yargs([...args])
    .scriptName('npm run bench --')
    .usage(
      '$0 [options]\n\nMeasures fpm-bridge beside its peers, on a private broker and pool. Takes about half an hour.',
    )
    .option('only', {
      type: 'string',
      default: SECTIONS.join(','),
      describe: 'sections, separated by commas',
    })
    .option('messages', {
      type: 'number',
      default: 60_000,
      describe: 'messages in a round of the fast contestants',
    })
    .option('rounds', { type: 'number', default: 3, describe: 'rounds; medians are compared' })
    .option('million', {
      type: 'boolean',
      default: false,
      describe: 'memory over a million messages, not 50,000; also of the section many',
    })
    .option('before', {
      type: 'string',
      describe: 'a built checkout of another version, for the sections start and modes',
    })
    .option('json', { type: 'string', default: resultsFile, describe: 'file that the results go to' })
    .option('svg', { type: 'boolean', default: false, describe: 'draw the throughput into docs/bench.svg' })
    .strict()
    .version(false)
    .fail((message, error) => refuse(message || String(error)))
    .parseSync()

  const only = parsed.only.split(',').map((name) => name.trim())
  const unknown = only.find((name) => !isSection(name))
  if (unknown !== undefined) refuse(`--only ${unknown} is none of ${SECTIONS.join(', ')}`)
  return {
    only: only.filter(isSection),
    messages: integer('messages', parsed.messages, FEWEST_MESSAGES),
    rounds: integer('rounds', parsed.rounds, 1),
    million: parsed.million,
    before: parsed.before,
    json: parsed.json,
    svg: parsed.svg,
  }
}

function isSection(name: string): name is Section {
  return (SECTIONS as readonly string[]).includes(name)
}

function integer(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value
  return refuse(`--${name} must be a whole number from ${least} on`)
}

function refuse(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(64)
}
