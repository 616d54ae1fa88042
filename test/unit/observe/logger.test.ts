import { Writable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLogger, type LoggerOptions, type LogLevel } from '../../../src/observe/logger.ts'

const TIME = '2024-01-02T03:04:05.678Z'

beforeEach(() => {
  vi.useFakeTimers({
    now: Date.parse(TIME),
    toFake: ['Date', 'setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate'],
  })
})
afterEach(() => {
  vi.useRealTimers()
})

/** A logger and what it wrote, without colors. */
function logging(options: Partial<LoggerOptions> & { readonly isTTY?: boolean } = {}) {
  const { isTTY = false, ...given } = options
  let written = ''
  const stream = new Writable({
    write(chunk, _, done) {
      written += chunk
      done()
    },
  })
  const log = createLogger({
    level: 'debug',
    format: 'json',
    stream: Object.assign(stream, { isTTY }),
    fields: {},
    ...given,
  })
  const raw = () => {
    // Lines wait for each other for a moment.
    vi.runAllTimers()
    return written
  }
  return { log, text: () => stripVTControlCharacters(raw()), raw }
}

/** What steers a terminal, ends a line for some reader, turns text around, or cannot be seen. */
const INVISIBLE: [string, string][] = [
  ['an escape sequence', '\u001b[2J'],
  ['DEL', '\u007f'],
  ['a control character of the second set', '\u009b'],
  ['a line separator', '\u2028'],
  ['a paragraph separator', '\u2029'],
  ['a right-to-left override', '\u202e'],
  ['an isolate', '\u2066'],
  ['a space of no width', '\u200b'],
  ['a byte order mark', '\ufeff'],
  ['a soft hyphen', '\u00ad'],
  ['a tag character', '\u{e0041}'],
  ['half a surrogate pair', '\ud83d'],
]

describe('a JSON line', () => {
  it('has no field in camelCase: the compiler refuses it', () => {
    const { log } = logging()
    log.info('Executed.', { duration_ms: 3 })
    // @ts-expect-error
    log.info('Executed.', { durationMs: 3 })
    // @ts-expect-error
    log.with({ daemonId: 'D-1' })
  })

  it('has time, level and message, then the fields of all lines, then its own', () => {
    const { log, text } = logging({ fields: { daemon_id: 'D-1' } })
    log.info('Executed.', { status: 200 })
    expect(text()).toBe(
      `{"time":"${TIME}","level":"info","message":"Executed.","daemon_id":"D-1","status":200}\n`,
    )
  })

  it.each<[string, Record<string, unknown>]>([
    ['no field', {}],
    ['fields that are not set', { value: undefined }],
    ['fields that JSON cannot say', { value: 10n }],
  ])('with %s has what every line has', (_, fields) => {
    const { log, text } = logging({ fields: { daemon_id: 'D-1' } })
    log.info('"Look."', fields)
    expect(text()).toBe(`{"time":"${TIME}","level":"info","message":"\\"Look.\\"","daemon_id":"D-1"}\n`)
  })

  it('has more in every line of a log that was made so, and only there', () => {
    const { log, text } = logging({ fields: { daemon_id: 'D-1' } })
    const ofBridge = log.with({ bridge: 'mails' })
    ofBridge.info('One.', { bridge: 'forged', n: 1 })
    log.info('Two.')
    expect(
      text()
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { time: TIME, level: 'info', message: 'One.', daemon_id: 'D-1', bridge: 'mails', n: 1 },
      { time: TIME, level: 'info', message: 'Two.', daemon_id: 'D-1' },
    ])
  })

  it('without fields of all lines ends with its own', () => {
    const { log, text } = logging({ fields: {} })
    log.info('Look.', { '"': '{}' })
    expect(text()).toBe(`{"time":"${TIME}","level":"info","message":"Look.","\\"":"{}"}\n`)
  })

  it.each<[string, unknown, unknown]>([
    ['text with line breaks', 'a\nb\r\n', 'a\nb\r\n'],
    ['a NUL', '\0', '\0'],
    ['a list', [1, { a: 'x' }], [1, { a: 'x' }]],
    ['null', null, null],
    ['what is no number', Number.NaN, null],
    ['nothing', undefined, undefined],
    ['half a surrogate pair', '\ud83d', '\ud83d'],
  ])('stays one line with %s', (_, value, read) => {
    const { log, text } = logging()
    log.warn('Look.', { value })
    expect(text().trimEnd()).not.toContain('\n')
    expect(JSON.parse(text()).value).toEqual(read)
  })

  it('keeps a message on one line', () => {
    const { log, text } = logging()
    log.error('two\nlines')
    expect(text().split('\n')).toHaveLength(2)
    expect(JSON.parse(text()).message).toBe('two\nlines')
  })

  it.each(INVISIBLE)('shows %s, and says what it is', (_, character) => {
    const { log, text } = logging()
    log.warn(`a${character}b`, { [`c${character}d`]: { list: [character] } })
    expect(text().trimEnd()).toMatch(/^[ -~]+$/)
    expect(JSON.parse(text())).toMatchObject({
      message: `a${character}b`,
      [`c${character}d`]: { list: [character] },
    })
  })

  it('leaves what can be seen as it is', () => {
    const { log, text } = logging()
    log.info('Zahlung für 東京 👍')
    expect(text()).toContain('"Zahlung für 東京 👍"')
  })

  it.each(['level', 'message', 'time', 'daemon_id'])('is not changed by a field called %s', (name) => {
    const { log, text } = logging({ fields: { daemon_id: 'D-1' } })
    log.info('Executed.', { [name]: 'hostile', status: 200 })
    expect(text()).toBe(
      `{"time":"${TIME}","level":"info","message":"Executed.","daemon_id":"D-1","status":200}\n`,
    )
  })

  it.each(['__proto__', 'constructor', 'toString', 'splat'])('takes a field called %s', (name) => {
    const { log, text } = logging()
    log.info('Executed.', JSON.parse(`{"${name}":"x"}`))
    expect(Object.entries(JSON.parse(text()))).toContainEqual([name, 'x'])
  })

  it('is written whatever a field holds', () => {
    const circular: Record<string, unknown> = {}
    circular['self'] = circular
    const { log, text } = logging()
    expect(() => log.info('Executed.', { value: circular })).not.toThrow()
    expect(() => log.info('Executed.', { value: 10n })).not.toThrow()
    expect(text().trimEnd().split('\n')).toHaveLength(2)
  })
})

describe('a text line', () => {
  it('has the time of day, level, message and fields', () => {
    const { log, text } = logging({ format: 'text', fields: { daemon_id: 'D-1' } })
    log.info('Executed.', { status: 200, none: undefined })
    log.error('Lost.', { reason: 'a "b"', path: '/run/fpm.sock' })
    expect(text()).toBe(
      `03:04:05.678 info  Executed. daemon_id=D-1 status=200\n` +
        `03:04:05.678 error Lost. daemon_id=D-1 reason="a \\"b\\"" path=/run/fpm.sock\n`,
    )
  })

  it.each([
    ['a line break', 'a\nb', '"a\\nb"'],
    ['what looks like another field', 'a b=c', '"a b=c"'],
    ['nothing', '', '""'],
    ['an escape sequence', '\u001b[2J', '"\\u001b[2J"'],
  ])('quotes %s', (_, value, shown) => {
    const { log, text } = logging({ format: 'text' })
    log.info('Look.', { value })
    expect(text()).toBe(`03:04:05.678 info  Look. value=${shown}\n`)
  })

  it.each([
    ['a message', 'a\nb', {}],
    ['the name of a field', 'Look.', { 'a\nb': 1 }],
  ])('stays one line with a line break in %s', (_, message, fields) => {
    const { log, text } = logging({ format: 'text' })
    log.info(message, fields)
    expect(text().split('\n')).toHaveLength(2)
  })

  it.each(INVISIBLE)('shows %s', (_, character) => {
    const { log, text } = logging({ format: 'text' })
    log.info(`a${character}b`, { [`c${character}d`]: character, list: [character] })
    expect(text().trimEnd()).toMatch(/^[ -~]+$/)
  })
})

describe('the format auto', () => {
  it('is text on a terminal, JSON otherwise', () => {
    const terminal = logging({ format: 'auto', isTTY: true })
    terminal.log.info('Look.')
    expect(terminal.text()).toMatch(/^03:04:05/)
    const pipe = logging({ format: 'auto' })
    pipe.log.info('Look.')
    expect(pipe.text()).toMatch(/^\{/)
  })
})

describe('levels', () => {
  it.each<[LogLevel, string]>([
    ['error', 'e'],
    ['warn', 'ew'],
    ['info', 'ewi'],
    ['debug', 'ewid'],
  ])('%s lets %s through', (level, expected) => {
    const { log, text } = logging({ level })
    for (const each of ['error', 'warn', 'info', 'debug'] as const) log[each]('x')
    const levels = text().trimEnd().split('\n')
    expect(levels.map((line) => JSON.parse(line).level[0]).join('')).toBe(expected)
  })
})

describe('lines of level debug', () => {
  it.each([
    ['error', 'error'],
    ['warn', 'warn'],
    ['info', 'info'],
    ['debug', 'info'],
  ] as const)('with level %s are shown and hidden at any time; hidden, the level is %s', (level, hidden) => {
    const { log, text } = logging({ level })
    const bridge = log.with({ queue: 'q' })
    log.showDebug(true)
    bridge.debug('One.')
    log.showDebug(false)
    bridge.debug('Two.')
    bridge[hidden]('Three.')
    const messages = text().match(/"message":"[^"]*"/g)
    expect(messages).toEqual(['"message":"One."', '"message":"Three."'])
    expect([bridge.wants('debug'), bridge.wants(hidden)]).toEqual([false, true])
  })
})
