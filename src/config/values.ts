import { isAbsolute } from 'node:path'
import type { MessageProperties } from '../bridge/ports.ts'
import { type Parse, type Schema, withSchema } from './parse.ts'

/**
 * The kinds of values options take. Each function turns text into a value or throws an Error that completes the
 * sentence "--option ...".
 */

/** A whole number of decimal digits from `min` to `max`. */
export function integer(min: number, max: number): Parse<number> {
  return withSchema({ type: 'integer', minimum: min, maximum: max }, (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= min && value <= max)) throw new Error(`must be an integer from ${min} to ${max}`)
    return value
  })
}

export function oneOf<T extends string>(...choices: readonly T[]): Parse<T> {
  return withSchema({ enum: choices }, (text) => {
    const choice = choices.find((candidate) => candidate === text)
    if (choice === undefined) throw new Error(`must be ${choices.join(' or ')}`)
    return choice
  })
}

/** On or off; in the environment and in files as `true` or `false`. */
export const flag = withSchema({ type: 'boolean' }, (text) => {
  if (text !== 'true' && text !== 'false') throw new Error('must be true or false')
  return text === 'true'
})

/** @param others what else it may be */
function durationSchema(...others: readonly Schema[]): Schema {
  const written = { type: 'string', pattern: '^\\d{1,10}(ms|s|m|h)$' }
  return others.length === 0 ? written : { anyOf: [written, ...others] }
}

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** Longer timers would fire at once: setTimeout counts in 31 bits. */
const MAX_DURATION = 2 ** 31 - 1

/** `500ms`, `1s`, `25m`, `2h`, or `0`, in milliseconds. */
export const duration = withSchema(durationSchema({ const: 0 }), (text) => {
  if (text === '0') return 0
  const [, digits, unit] = /^(\d{1,10})(ms|s|m|h)$/.exec(text) ?? []
  const milliseconds = Number(digits) * (MILLISECONDS[unit ?? ''] ?? Number.NaN)
  if (Number.isNaN(milliseconds)) throw new Error('must be a duration such as 500ms, 30s, 25m or 2h')
  if (milliseconds > MAX_DURATION) throw new Error('must be shorter than 24 days')
  return milliseconds
})

/** A duration of at least a millisecond. */
export const positiveDuration = withSchema(durationSchema(), (text) => {
  const milliseconds = duration(text)
  if (milliseconds === 0) throw new Error('must be longer than 0')
  return milliseconds
})

const BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

/** `64KiB`, `8MiB`, from `min` to `max` bytes. */
export function size(min: number, max: number): Parse<number> {
  return withSchema({ type: 'string', pattern: '^\\d{1,10}(B|KiB|MiB|GiB)$' }, (text) => {
    const [, digits, unit] = /^(\d{1,10})(B|KiB|MiB|GiB)$/.exec(text) ?? []
    const bytes = Number(digits) * (BYTES[unit ?? ''] ?? Number.NaN)
    if (Number.isNaN(bytes)) throw new Error('must be a size such as 512B, 64KiB or 8MiB')
    if (bytes < min || bytes > max) throw new Error(`must be from ${min} to ${max} bytes`)
    return bytes
  })
}

/** A path as in a URL, which is how php-fpm names its pages. */
export const pagePath = withSchema({ type: 'string', pattern: '^/[\\w./-]+$' }, (text) => {
  if (!/^\/[\w./-]+$/.test(text)) throw new Error('must be a path such as /status')
  return text
})

/** An AMQP short string (AMQP 0-9-1, section 4.2.5.3) holds 255 bytes. */
export const SHORT_STRING_BYTES = 255

export function shortString(text: string): string {
  if (Buffer.byteLength(text) > SHORT_STRING_BYTES)
    throw new Error(`must be at most ${SHORT_STRING_BYTES} bytes long`)
  if (/\p{Cc}/u.test(text)) throw new Error('must not have control characters')
  return text
}

export const queueName = withSchema({ type: 'string', minLength: 1, pattern: '^(?!amq\\.)' }, (text) => {
  if (text === '') throw new Error('must not be empty')
  if (text.startsWith('amq.')) throw new Error('must not begin with amq., which the broker keeps for itself')
  return shortString(text)
})

/** The name of a queue, in which `*` stands for anything. */
export const replyPattern = withSchema({ type: 'string', minLength: 1 }, (text) => {
  if (text === '') throw new Error('must not be empty')
  return shortString(text)
})

/** Of the 255 of a consumer tag, which has the daemon id beside it; and of a line of the log. */
const BRIDGE_NAME_BYTES = 100

export const bridgeName = withSchema(
  { type: 'string', minLength: 1, maxLength: BRIDGE_NAME_BYTES },
  (text) => {
    if (text === '') throw new Error('must not be empty')
    if (Buffer.byteLength(text) > BRIDGE_NAME_BYTES)
      throw new Error(`must be at most ${BRIDGE_NAME_BYTES} bytes long`)
    return shortString(text)
  },
)

/** The queue's name, as far as it may be the name of a bridge: cut at a character. */
export function defaultBridgeName(queue: string): string {
  let name = queue
  while (Buffer.byteLength(name) > BRIDGE_NAME_BYTES) name = [...name].slice(0, -1).join('')
  return name
}

/** Of the 255 of a consumer tag, which may have a number beside it. */
export const DAEMON_ID_BYTES = 240

export function daemonId(text: string): string {
  if (text === '') throw new Error('must not be empty')
  if (Buffer.byteLength(text) > DAEMON_ID_BYTES)
    throw new Error(`must be at most ${DAEMON_ID_BYTES} bytes long`)
  return shortString(text)
}

export const absolutePath = withSchema({ type: 'string', pattern: '^/.*[^/]$' }, (text) => {
  if (!isAbsolute(text)) throw new Error('must be an absolute path, as php-fpm sees it')
  if (/\p{Cc}/u.test(text)) throw new Error('must not have control characters')
  if (text.endsWith('/')) throw new Error('must name a file')
  return text
})

/** Of a file that we write: from the root, or from where we were started. */
export const filePath = withSchema({ type: 'string', minLength: 1, pattern: '[^/]$' }, (text) => {
  if (text === '' || text.endsWith('/')) throw new Error('must name a file')
  if (/\p{Cc}/u.test(text)) throw new Error('must not have control characters')
  return text
})

/** `name=value`. */
export function pair(text: string): readonly [name: string, value: string] {
  const equals = text.indexOf('=')
  if (equals < 1) throw new Error('must be name=value')
  return [shortString(text.slice(0, equals)), text.slice(equals + 1)]
}

/** Basic properties as the specification spells them, and how their values are read. */
const PROPERTIES = new Map<string, readonly [keyof MessageProperties, Parse<string | number>]>([
  ['message_id', ['messageId', shortString]],
  ['correlation_id', ['correlationId', shortString]],
  ['reply_to', ['replyTo', shortString]],
  ['type', ['type', shortString]],
  ['app_id', ['appId', shortString]],
  ['user_id', ['userId', shortString]],
  ['content_encoding', ['contentEncoding', shortString]],
  ['expiration', ['expiration', (text) => String(integer(0, 4_294_967_295)(text))]],
  ['priority', ['priority', integer(0, 255)]],
  ['timestamp', ['timestamp', integer(0, Number.MAX_SAFE_INTEGER)]],
])

/** `message_id=42`: a basic property (AMQP 0-9-1, section 1.8 of the class reference) and its value. */
export function messageProperty(text: string): readonly [keyof MessageProperties, string | number] {
  const [name, value] = pair(text)
  const property = PROPERTIES.get(name)
  if (property === undefined) throw new Error(`must set one of ${[...PROPERTIES.keys()].join(', ')}`)
  const [field, parse] = property
  try {
    return [field, parse(value)]
  } catch (error) {
    throw new Error(`sets ${name}, which ${(error as Error).message}`, { cause: error })
  }
}
