import type { BrokerUrl } from '../amqp/broker-url.ts'
import { type LineRange, lineRanges } from './line-ranges.ts'
import { allOf, Faults, OptionError } from './option-error.ts'
import { optional, type Parse } from './parse.ts'
import { readBrokers } from './process-config.ts'
import { type GivenOptions, OptionReader } from './reader.ts'
import { duration, filePath, flag, integer, queueName, shortString } from './values.ts'

/** What `fpm-bridge dead-letters` can be told to do. */
export const LETTER_ACTIONS = [
  'list',
  'show',
  'replay',
  'edit',
  'delete',
  'purge',
  'export',
  'import',
] as const
export type LetterAction = (typeof LETTER_ACTIONS)[number]

/** Frozen. */
export interface DeadLettersConfig {
  /** A failover list of one at least. */
  readonly brokers: readonly BrokerUrl[]
  /** That holds the dead letters. */
  readonly queue: string
  readonly action: LetterAction
  readonly words: readonly string[]
  readonly reason: string | undefined
  /** Milliseconds since the epoch. */
  readonly since: number | undefined
  readonly until: number | undefined
  readonly to: string | undefined
  /** Messages a second. */
  readonly rate: number | undefined
  readonly deliveryLimit: number | undefined
  readonly file: string | undefined
  readonly lines: readonly LineRange[] | undefined
  readonly all: boolean
  readonly dryRun: boolean
  readonly group: boolean
  readonly json: boolean
  readonly yes: boolean
}

const DAY = 86_400_000

/** A date, or how long ago it was. */
export const moment: Parse<number> = (text) => {
  const [, days] = /^(\d{1,6})d$/.exec(text) ?? []
  if (days !== undefined) return Date.now() - Number(days) * DAY
  if (/^\d+(?:ms|s|m|h)$/.test(text)) return Date.now() - duration(text)
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time))
    throw new Error('must be a date such as 2026-01-31T12:00:00Z, or a time ago such as 30m, 2h or 7d')
  return time
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 }

/**
 * In a second. Two letters may wait for their turns at once, 10 minutes each at this rate: 20 minutes, under the 30 that the broker waits for
 * an ack (consumer_timeout).
 */
const LEAST_RATE = 6 / 3_600

/** `100/s`, `5/m`, `6/h`, in messages a second. */
export const rate: Parse<number> = (text) => {
  const [, digits, unit] = /^(\d{1,6})\/([smh])$/.exec(text) ?? []
  const perSecond = Number(digits) / (SECONDS[unit ?? ''] ?? Number.NaN)
  if (!(perSecond >= LEAST_RATE))
    throw new Error('must be a rate such as 100/s, 30/m or 10/h, and at least 6/h')
  return perSecond
}

const OPTIONS = {
  queue: optional(queueName),
  'dead-letter-queue': optional(queueName),
  reason: optional(shortString),
  since: optional(moment),
  until: optional(moment),
  to: optional(queueName),
  rate: optional(rate),
  'delivery-limit': optional(integer(1, 2 ** 31)),
  file: optional(filePath),
  lines: optional(lineRanges),
  all: optional(flag),
  'dry-run': optional(flag),
  group: optional(flag),
  json: optional(flag),
  yes: optional(flag),
}

type OptionName = keyof typeof OPTIONS

const CHOICE: readonly OptionName[] = ['reason', 'since', 'until']

/** The words that each action takes, and its options beside those that say where the letters are. */
const TAKES: Readonly<
  Record<
    LetterAction,
    { readonly words: 'none' | 'one' | 'some' | 'any'; readonly options: readonly OptionName[] }
  >
> = {
  list: { words: 'any', options: [...CHOICE, 'group', 'json'] },
  show: { words: 'one', options: ['json'] },
  replay: { words: 'any', options: [...CHOICE, 'all', 'to', 'rate', 'dry-run'] },
  edit: { words: 'one', options: ['to'] },
  delete: { words: 'some', options: ['yes'] },
  purge: { words: 'any', options: [...CHOICE, 'yes'] },
  export: { words: 'any', options: [...CHOICE, 'file'] },
  import: { words: 'none', options: ['file', 'lines'] },
}

const OF_ALL: readonly OptionName[] = ['queue', 'dead-letter-queue', 'delivery-limit']

/**
 * @param words without the action
 * @throws {OptionError} of all that is wrong
 */
export function readDeadLettersConfig(
  asked: GivenOptions,
  action: LetterAction,
  words: readonly string[],
): DeadLettersConfig {
  const read = new OptionReader(asked.options)
  const { brokers, given } = allOf({
    faults: () => new Faults(asked.faults).throwAny(),
    brokers: () => readBrokers(read),
    given: () => read.values(OPTIONS),
    words: () => checkWords(action, words),
    foreign: () => refuseForeign(read, action),
  })
  if (action === 'replay' && !isChoice(given, words) && given.all !== true)
    throw new OptionError(
      'what is to be replayed? Name letters or a group, choose by --reason, --since or --until, or give --all',
      64,
    )
  return Object.freeze({
    brokers,
    queue: given['dead-letter-queue'] ?? deadLettersOf(read, asked, given.queue),
    action,
    words,
    reason: given.reason,
    since: given.since,
    until: given.until,
    to: given.to,
    rate: given.rate,
    deliveryLimit: given['delivery-limit'],
    file: given.file,
    lines: given.lines,
    all: given.all ?? false,
    dryRun: given['dry-run'] ?? false,
    group: given.group ?? false,
    json: given.json ?? false,
    yes: given.yes ?? false,
  })
}

function isChoice(given: { readonly [name: string]: unknown }, words: readonly string[]): boolean {
  return words.length > 0 || CHOICE.some((name) => given[name] !== undefined)
}

/** Of several bridges in a file, those of the one that consumes the queue. */
function deadLettersOf(
  read: OptionReader,
  { bridges = [] }: GivenOptions,
  queue: string | undefined,
): string {
  if (queue === undefined)
    read.refuse(
      'queue',
      'is required: the file has several bridges, each with its queue; or give --dead-letter-queue',
    )
  const bridge = bridges.find(({ own }) => own.get('queue')?.values[0] === queue)
  return bridge?.own.get('dead-letter-queue')?.values[0] ?? `${queue}.dead`
}

function checkWords(action: LetterAction, words: readonly string[]): void {
  const wrong: Readonly<Record<string, string | false>> = {
    none: words.length > 0 && `takes no id, and "${words[0]}" is too much`,
    one: words.length !== 1 && 'takes the id of one letter; dead-letters list has them',
    some: words.length === 0 && 'takes the ids of letters; dead-letters list has them, and purge takes all',
    any: false,
  }
  const complaint = wrong[TAKES[action].words]
  if (complaint) throw new OptionError(`dead-letters ${action} ${complaint}`, 64)
}

function refuseForeign(read: OptionReader, action: LetterAction): void {
  const known = [...OF_ALL, ...TAKES[action].options]
  for (const name of Object.keys(OPTIONS) as OptionName[])
    if (!known.includes(name) && read.given(name))
      read.refuse(name, `is nothing that dead-letters ${action} knows`)
}
