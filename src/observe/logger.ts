import type { Writable } from 'node:stream'
import { inspect, styleText } from 'node:util'
import { createLogger as createWinston, format, transports } from 'winston'
import { escapeInvisible, escapeInvisibleInJson } from './invisible.ts'
import { LineBuffer } from './line-buffer.ts'

export type LogLevel = 'error' | 'warn' | 'info' | 'debug'

/** The facts of a line. Their names are in snake_case; where a line is written out, the compiler refuses camelCase. */
export type Fields = Readonly<Record<Lowercase<string>, unknown>>

/** One line per event: a sentence for the reader, and the facts as fields. */
export type Log = Readonly<Record<LogLevel, (message: string, fields?: Fields) => void>>

/** `auto`: readable on a terminal, JSON otherwise. */
export type LogFormat = 'auto' | 'json' | 'text'

export interface LoggerOptions {
  readonly level: LogLevel
  readonly format: LogFormat
  /** Where lines go; standard error for the daemon, since standard output is for results. */
  readonly stream: Writable & { readonly isTTY?: boolean }
  /** Whether other processes write to it, too; default: no. */
  readonly shared?: boolean
  /** In every line. */
  readonly fields: Fields
}

/** Which outcomes of messages have a line: all, or those that are no success. */
export type LogMessages = 'all' | 'failures'

export interface Logger extends Log {
  /** Whether a line of that level would be written. */
  wants(level: LogLevel): boolean
  /** From now on, lines of level debug are written or not; for all logs that are made of one another. */
  showDebug(on: boolean): void
  /** The same log, with more in every line. */
  with(fields: Fields): Logger
}

const LEVELS: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 }
/** Under which winston hands on what its format has made of a line. */
const MESSAGE = Symbol.for('message')
const COLORS = { error: 'red', warn: 'yellow', info: 'green', debug: 'gray' } as const

/**
 * One line per event. JSON: an object with `time` (ISO 8601), `level`, `message`, then the fields. Text: the same
 * as `time level message key=value`.
 *
 * A stream that fails (log pipe closed, disk full) costs its lines, never the daemon; so does one that nobody reads, and a
 * line says how many when somebody does again.
 */
export function createLogger(options: LoggerOptions): Logger {
  const { stream } = options
  stream.on('error', () => {})
  const asText = options.format === 'text' || (options.format === 'auto' && stream.isTTY === true)
  const lines = new LineBuffer(
    stream,
    (dropped) => whole.error('Lines are missing here: nobody read the log.', { lines: dropped }),
    options.shared,
  )
  const logger = createWinston({
    // What is not wanted does not get here.
    level: 'debug',
    levels: LEVELS,
    // It comes as the line that it becomes.
    format: format.printf(({ message }) => message as string),
    // Its `log` of winston's own would write each line by itself, and announce it with an event.
    transports: [
      new transports.Stream({
        stream,
        log(info, done) {
          lines.add(info[MESSAGE], isUrgent(info.level))
          done()
        },
      }),
    ],
  })
  logger.on('error', () => {})
  let least = LEVELS[options.level]
  const wants = (level: LogLevel): boolean => LEVELS[level] <= least
  const showDebug = (on: boolean): void => {
    least = on ? LEVELS.debug : Math.min(LEVELS[options.level], LEVELS.info)
  }
  const loggerWith = (inEveryLine: Fields): Logger => {
    const toLine = (asText ? textLines : jsonLines)(inEveryLine)
    const at = (level: LogLevel): Log[LogLevel] => {
      return (message, fields = {}) => {
        // winston would take a line of every level through its streams before it drops it.
        if (!wants(level)) return
        logger.log({ level, message: toLine(level, message, fields) })
        // Somebody may be watching, or the process may be about to end.
        if (asText || isUrgent(level)) lines.flush()
      }
    }
    const levels = { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') }
    return { ...levels, wants, showDebug, with: (more) => loggerWith({ ...inEveryLine, ...more }) }
  }
  const whole = loggerWith(options.fields)
  return whole
}

function isUrgent(level: LogLevel): boolean {
  return LEVELS[level] <= LEVELS.warn
}

type ToLine = (level: LogLevel, message: string, fields: Fields) => string

/**
 * Messages and workers say what they like; no character of it may end a line, or show it other than it is.
 *
 * Each line is put together from texts, which costs less than one object for JSON.stringify to go through.
 */
function jsonLines(inEveryLine: Fields): ToLine {
  const names = ['time', 'level', 'message', ...Object.keys(inEveryLine)]
  const common = members(inEveryLine)
  return (level, message, fields) => {
    // Fields never replace what every line has, whatever they are called.
    const own = names.some((name) => Object.hasOwn(fields, name)) ? without(names, fields) : fields
    return escapeInvisibleInJson(
      `{"time":"${now()}","level":"${level}","message":${JSON.stringify(message)}${common}${members(own)}}`,
    )
  }
}

/** `,"a":1,"b":2`: the fields as they go on in an object that has others before them. */
function members(fields: Fields): string {
  const json = toJson(fields)
  return json.startsWith('{"') ? `,${json.slice(1, -1)}` : ''
}

function without(names: readonly string[], fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)))
}

function textLines(inEveryLine: Fields): ToLine {
  return (level, message, fields) => {
    const name = styleText(COLORS[level], level.padEnd(5))
    const pairs = Object.entries({ ...inEveryLine, ...fields })
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key}=${typeof value === 'string' ? quote(value) : toJson(value)}`)
    return [now().slice(11, 23), name, ...[message, ...pairs].map(escapeInvisible)].join(' ')
  }
}

let lastSecond = 0
let lastSecondText = ''

/** ISO 8601. Many lines are of one second. */
function now(): string {
  const time = Date.now()
  const milliseconds = time % 1_000
  const second = time - milliseconds
  if (second !== lastSecond) {
    lastSecond = second
    lastSecondText = new Date(second).toISOString().slice(0, -4)
  }
  return `${lastSecondText}${String(milliseconds).padStart(3, '0')}Z`
}

/** A line is worth more than its fields: what JSON cannot say is described. */
function toJson(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch {
    return JSON.stringify(inspect(value))
  }
}

/** Keeps a value apart from its neighbours. */
function quote(value: string): string {
  return /^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(value)
}
