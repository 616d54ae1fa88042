import yargs from 'yargs'

export interface DemoOptions {
  /** Messages in all, spread over the callers. */
  readonly messages: number
  /** Children of the pool, and requests in flight of each daemon. */
  readonly children: number
  /** The first starts with the callers, the others join one after another during the run. */
  readonly daemons: number
  /** Milliseconds that the worker sleeps for each message. */
  readonly sleep: number
  /** Whether to install missing packages without asking. */
  readonly yes: boolean
}

/** As many processes publish at the same time, each its own 1, 2, 3, ... */
export const CALLERS = 3

/** A daemon needs about a second to start: in a shorter run the last one would come to an empty queue. */
const SHORTEST_JOINED_RUN_MS = 4_000

/** The time that the pool needs when all its children are busy all the time, in milliseconds. */
export function idealTime({ messages, children, sleep }: DemoOptions): number {
  return Math.ceil(messages / children) * sleep
}

/** Reads the command line. Prints the help and exits 0, or one line about what is wrong and exits 64, where it must. */
export function readOptions(args: readonly string[]): DemoOptions {
  const parsed = yargs([...args])
    .scriptName('npm run demo --')
    .usage(
      '$0 [options]\n\nCallers publish, daemons consume, a php-fpm pool executes; then it is counted what happened.',
    )
    .option('messages', { type: 'number', default: 300, describe: `messages in all, of ${CALLERS} callers` })
    .option('children', { type: 'number', default: 25, describe: 'children of the php-fpm pool' })
    .option('daemons', {
      type: 'number',
      default: 2,
      describe: 'daemons; all but the first join during the run',
    })
    .option('sleep', { type: 'string', default: '1s', describe: 'how long the worker takes: 500ms, 1s' })
    .option('yes', { type: 'boolean', default: false, describe: 'install missing packages without asking' })
    .strict()
    .version(false)
    .fail((message, error) => refuse(message || String(error)))
    .parseSync()

  const options: DemoOptions = {
    messages: integer('messages', parsed.messages, 1, 100_000),
    children: integer('children', parsed.children, 1, 500),
    daemons: integer('daemons', parsed.daemons, 1, 20),
    sleep: duration('sleep', parsed.sleep),
    yes: parsed.yes,
  }
  if (options.daemons > 1 && idealTime(options) < SHORTEST_JOINED_RUN_MS) {
    refuse(
      'The run would be over before the last daemon has joined: more --messages or a longer --sleep, please.',
    )
  }
  return options
}

function integer(option: string, value: unknown, least: number, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  return refuse(`--${option} takes a whole number from ${least} to ${most}.`)
}

function duration(option: string, value: unknown): number {
  const match = /^(\d{1,6})(ms|s)$/.exec(String(value))
  if (match === null) return refuse(`--${option} takes a duration such as 500ms or 1s.`)
  return Number(match[1]) * (match[2] === 's' ? 1_000 : 1)
}

function refuse(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(64)
}
