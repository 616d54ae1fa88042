import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readConfigFile } from '../../../src/command-line/config-file.ts'
import { OptionError } from '../../../src/config/option-error.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fpm-bridge-config-file-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Writes a file and returns its path. */
function written(text: string | Buffer): string {
  const path = join(folder, 'f.yaml')
  writeFileSync(path, text)
  return path
}

/** What a file says, and what is complained of. */
function read(text: string | Buffer) {
  const { options, bridges, faults } = readConfigFile(written(text))
  const plain = (map: typeof options) =>
    Object.fromEntries([...map].filter(([, { fault }]) => !fault).map(([name, { values }]) => [name, values]))
  for (const { exitCode } of faults) expect(exitCode).toBe(78)
  return {
    options: plain(options),
    bridges: bridges?.map(({ own }) => plain(own)),
    complaints: faults.map(({ message }) => message.replaceAll(folder, '')),
  }
}

/** The options of a file that is right. */
function fromFile(text: string | Buffer): Record<string, readonly string[]> {
  const { options, complaints } = read(text)
  expect(complaints).toEqual([])
  return options
}

/** What makes a file unreadable, and the exit code. */
function refusal(path: string): [message: string, exitCode: number] {
  try {
    readConfigFile(path)
  } catch (error) {
    expect(error).toBeInstanceOf(OptionError)
    return [(error as OptionError).message.replaceAll(folder, ''), (error as OptionError).exitCode]
  }
  return ['accepted', 0]
}

describe('a config file', () => {
  it.each<[string, string, Record<string, readonly string[]>]>([
    [
      'YAML',
      'queue: a\nprefetch: 7\ndeclare: false\n',
      { queue: ['a'], prefetch: ['7'], declare: ['false'] },
    ],
    [
      'JSON',
      '{"queue": "a", "prefetch": 7, "declare": false}',
      { queue: ['a'], prefetch: ['7'], declare: ['false'] },
    ],
    ['nothing', '', {}],
    ['a comment', '# nothing yet\n', {}],
    ['an empty document', '---\n...\n', {}],
    ['null', '~', {}],
    ['a byte order mark', '\ufeffqueue: a', { queue: ['a'] }],
    ['lines that end in CR LF', 'queue: a\r\nscript: /b\r\n', { queue: ['a'], script: ['/b'] }],
    ['a list', 'url: [amqp://a, amqp://b]', { url: ['amqp://a', 'amqp://b'] }],
    ['an empty list', 'url: []', { url: [] }],
    ['options of the other command', 'socket: /fpm.sock', { socket: ['/fpm.sock'] }],
    ['a quoted value', 'queue: "007"', { queue: ['007'] }],
    ['a colon in a value', 'url: amqp://a:b@host', { url: ['amqp://a:b@host'] }],
    ['a folded value', 'queue: >-\n  a\n  b', { queue: ['a b'] }],
    ['an anchor that nobody uses', 'queue: &q a', { queue: ['a'] }],
    ['a value that is said to be text', 'queue: !!str 012', { queue: ['012'] }],
    ['a list that is said to be one', 'url: !!seq [a, !!str b]', { url: ['a', 'b'] }],
    ['a mapping that is said to be one', '!!map\n!!str queue: a', { queue: ['a'] }],
    ['a JSON escape', '{"queue": "\\u0061"}', { queue: ['a'] }],
  ])('with %s', (_, text, expected) => {
    expect(fromFile(text)).toEqual(expected)
  })

  it.each([
    ['zeros in front', '007'],
    ['what YAML 1.1 takes for octal', '012'],
    ['what looks like hexadecimal', '0x10'],
    ['what looks like a float', '1e3'],
    ['a float', '1.10'],
    ['an underline', '1_000'],
    ['more digits than a double has', '12345678901234567890'],
    ['what YAML 1.1 takes for minutes', '22:22'],
    ['a date', '2024-01-01'],
    ['no', 'no'],
    ['yes', 'yes'],
    ['on', 'on'],
    ['off', 'off'],
    ['y', 'y'],
    ['True', 'True'],
    ['.nan', '.nan'],
    ['.inf', '-.inf'],
  ])('means what stands there: %s', (_, text) => {
    expect(fromFile(`queue: ${text}`)).toEqual({ queue: [text] })
    expect(fromFile(`%YAML 1.1\n---\nqueue: ${text}`)).toEqual({ queue: [text] })
  })

  it('with bridges has the options of each beside its own', () => {
    expect(
      read('url: amqp://a\nbridges:\n  - queue: a\n    ack: completed\n  - {queue: b, name: c}'),
    ).toEqual({
      options: { url: ['amqp://a'] },
      bridges: [
        { queue: ['a'], ack: ['completed'] },
        { queue: ['b'], name: ['c'] },
      ],
      complaints: [],
    })
  })

  it('says of each value where it stands', () => {
    const { options, bridges } = readConfigFile(
      written('url:\n  amqp://a\nbridges:\n\n  - script: /a\n    queue: b'),
    )
    const file = join(folder, 'f.yaml')
    expect(options.get('url')).toMatchObject({ origin: 'file', source: `${file}:1`, path: 'url' })
    expect(bridges?.[0]).toMatchObject({ path: 'bridges[0]', source: `${file}:5` })
    expect(bridges?.[0]?.own.get('queue')).toMatchObject({ source: `${file}:6`, path: 'bridges[0].queue' })
  })
})

describe('refused as a whole', () => {
  const MISSING = 'a closing quote or bracket, a colon, a "- " or a space before # is missing, here or above'
  const SECOND = 'a second document begins (---), and only one is allowed'
  const NESTED = 'the indentation does not fit, or a value that has ": " in it needs quotes'
  const NO_KEY = 'there is no "key: value"; a space must follow the colon'
  const TAG = 'tags are not taken; a value that begins with ! needs quotes'
  const ASTERISK = 'a value that begins with * or & needs quotes'

  it.each([
    ['malformed YAML', 'queue: "a', `/f.yaml is malformed at line 1: ${MISSING}`],
    ['malformed JSON', '{"queue": "a"', `/f.yaml is malformed at line 1: ${MISSING}`],
    ['a tab', 'queue:\n\tname: a', '/f.yaml is malformed at line 2: indent with spaces, not with tabs'],
    [
      'a tab after spaces',
      'bridges:\n  - queue: a\n \tsocket: b',
      '/f.yaml is malformed at line 3: the indentation does not fit, or a bracket is not closed',
    ],
    ['two documents', 'queue: a\n---\nqueue: b', `/f.yaml is malformed at line 2: ${SECOND}`],
    ['a second document that is empty', 'queue: a\n---\n', `/f.yaml is malformed at line 2: ${SECOND}`],
    ['lines that end in CR', 'queue: a\rscript: b', `/f.yaml is malformed at line 1: ${NESTED}`],
    [
      'lists in lists in lists',
      `url: ${'['.repeat(20_000)}`,
      '/f.yaml is malformed at line 1: it is nested too deeply',
    ],
    ['a value with a colon', 'queue: a: b', `/f.yaml is malformed at line 1: ${NESTED}`],
    ['a value with an asterisk', 'queue: *', `/f.yaml is malformed at line 1: ${ASTERISK}`],
    [
      'keys without a space after the colon',
      'queue:a\nscript: b',
      `/f.yaml is malformed at line 1: ${NO_KEY}`,
    ],
    ['a list', '- queue', '/f.yaml must be a mapping of option names to values, such as "queue: invoices"'],
    ['a scalar', 'queue', '/f.yaml must be a mapping of option names to values, such as "queue: invoices"'],
    ['an alias', '*a', '/f.yaml must be a mapping of option names to values, such as "queue: invoices"'],
    ['a mapping with a tag', '!secret\nqueue: a', '/f.yaml must be a plain mapping, without a tag'],
    ['what is said to be a set', '!!set\nqueue: a', `/f.yaml is malformed at line 1: ${TAG}`],
    [
      'a tag with a prefix that nobody has declared',
      'queue: !e!x a',
      `/f.yaml is malformed at line 1: ${TAG}`,
    ],
    [
      'bytes that are not UTF-8',
      Buffer.from('queue: \xe4', 'latin1'),
      '--config names "/f.yaml", which is not UTF-8',
    ],
    ['UTF-16', Buffer.from('\ufeffqueue: a', 'utf16le'), '--config names "/f.yaml", which is not UTF-8'],
  ])('%s', (_, text, message) => {
    expect(refusal(written(text))).toEqual([message, 78])
  })

  it('a file of 100 MB, without reading it', () => {
    const path = written('')
    truncateSync(path, 100_000_000)
    expect(refusal(path)).toEqual(['--config names "/f.yaml", which is larger than 1 MiB', 78])
  })

  it('a file that cannot be read', () => {
    expect(refusal('/no/such/file')).toEqual(['--config names "/no/such/file", which does not exist', 78])
    expect(refusal(folder)).toEqual(['--config names "", which is a directory', 78])
  })
})

describe('complained of', () => {
  it.each([
    ['a key given twice', 'queue: a\n\nqueue: b', 'queue (/f.yaml:3) is given twice: before in /f.yaml:1'],
    ['dashes before a key', '--queue: a', '--queue (/f.yaml:1) is unknown; did you mean queue?'],
    ['in JSON', '{"queue": "a",\n"queue": "b"}', 'queue (/f.yaml:2) is given twice: before in /f.yaml:1'],
    ['a mapping as a value', 'queue: {a: b}', 'queue (/f.yaml:1) must be a plain value'],
    ['a list as a single value', 'queue: [a]', 'queue (/f.yaml:1) must be a plain value'],
    ['a list in a list', 'url: [[a]]', 'url (/f.yaml:1) must be a plain value'],
    ['nothing as a value', 'queue:', 'queue (/f.yaml:1) has no value'],
    ['null as a value', 'queue: ~', 'queue (/f.yaml:1) has no value'],
    ['null in a list', 'url: [a, null]', 'url (/f.yaml:1) has no value'],
    ['null in JSON', '{"queue": null}', 'queue (/f.yaml:1) has no value'],
    [
      'an alias',
      'script: &a /x\nqueue: *a',
      'queue (/f.yaml:2) must be written out: aliases are not followed',
    ],
    ['a binary value', 'queue: !!binary aGk=', 'queue (/f.yaml:1) must be a plain value, without a tag'],
    ['a tag that nobody knows', 'queue: !secret a', 'queue (/f.yaml:1) must be a plain value, without a tag'],
    ['a list with a tag', 'url: !secret [a]', 'url (/f.yaml:1) must be a plain list, without a tag'],
    [
      'a list with the tag of a text',
      'url: !!str [a]',
      'url (/f.yaml:1) must be a plain list, without a tag',
    ],
    ['a tag in a list', 'url: [a, !secret b]', 'url (/f.yaml:1) must be a plain value, without a tag'],
    ['a tag before a key', '!secret queue: a', 'queue (/f.yaml:1) must be a plain key, without a tag'],
    [
      'a tag before the bridges',
      'bridges: !include\n- queue: a',
      'bridges (/f.yaml:1) must be a plain list, without a tag',
    ],
    [
      'a tag before a bridge',
      'bridges:\n- queue: a\n- !include {queue: b}',
      'bridges[1] (/f.yaml:3) must be a plain mapping, without a tag',
    ],
    ['a set', 'url: !!set {a, b}', 'url (/f.yaml:1) must be a plain value'],
    ['another file', 'config: a', 'config (/f.yaml:1) cannot be set in a file'],
    ['bridges that are none', 'bridges: a', 'bridges (/f.yaml:1) must be a list of bridges, one at least'],
    [
      'bridges by name',
      'bridges: {a: {queue: a}}',
      'bridges (/f.yaml:1) must be a list of bridges, one at least',
    ],
    ['no bridges', 'bridges: []', 'bridges (/f.yaml:1) must be a list of bridges, one at least'],
    ['nothing for bridges', 'bridges:', 'bridges (/f.yaml:1) must be a list of bridges, one at least'],
    [
      'a bridge that is a name',
      'bridges:\n  - a',
      'bridges[0] (/f.yaml:2) must be a mapping of option names to values',
    ],
    [
      'a bridge that is nothing',
      'bridges:\n- ',
      'bridges[0] (/f.yaml:2) must be a mapping of option names to values',
    ],
    [
      'a bridge that is an alias',
      'bridges:\n- &a {queue: b}\n- *a',
      'bridges[1] (/f.yaml:3) must be a mapping of option names to values',
    ],
    [
      'an option of the process in a bridge',
      'bridges:\n- queue: a\n  url: amqp://a',
      'bridges[0].url (/f.yaml:3) belongs to the process, not to a bridge: it goes to the top level',
    ],
    [
      'bridges in a bridge',
      'bridges:\n- bridges: []',
      'bridges[0].bridges (/f.yaml:2) is unknown; see fpm-bridge --help',
    ],
    [
      'another file in a bridge',
      'bridges:\n- config: a',
      'bridges[0].config (/f.yaml:2) cannot be set in a file',
    ],
    [
      'keys to be merged',
      'bridges:\n- <<: {queue: a}',
      'bridges[0].<< (/f.yaml:2) is unknown: keys are not merged; what all bridges share goes to the top level',
    ],
  ])('%s', (_, text, expected) => {
    const { complaints } = read(text)
    expect(complaints).toEqual([expect.stringContaining(expected)])
    expect(complaints[0]?.startsWith(expected)).toBe(true)
  })

  it.each([
    ['prefetsch', 'prefetch'],
    ['Queue', 'queue'],
    ['dead_letter_queue', 'dead-letter-queue'],
    ['conncurency', 'concurrency'],
    ['bridge', 'bridges'],
    ['sockets', 'socket'],
    ['tls-cret', 'tls-cert'],
  ])('the key %s, which may mean %s', (key, meant) => {
    expect(read(`${key}: a`).complaints).toEqual([`${key} (/f.yaml:1) is unknown; did you mean ${meant}?`])
  })

  it.each(['verbose', 'body', '__proto__', 'constructor', 'null', '7', '2024-01-01', 'frobnicate'])(
    'the key %s',
    (key) => {
      expect(read(`${key}: a`).complaints).toEqual([`${key} (/f.yaml:1) is unknown; see fpm-bridge --help`])
    },
  )

  it.each([['? [a]\n: b'], ['? {a: b}\n: c'], ['? &a\n: b'], ['"": a'], ['"a b": c'], ['? *a\n: b']])(
    'a key that is no name: %j',
    (text) => {
      expect(read(text).complaints).toEqual([
        expect.stringMatching(/^\? \(\/f.yaml:\d\) is unknown; see fpm-bridge --help$/),
      ])
    },
  )

  it('instead of what it hides: nobody hears that an option is missing which is misspelt or has no value', () => {
    const { options, faults } = readConfigFile(written('sockets: /a\nscript:'))
    expect([...options].map(([name, { fault }]) => [name, fault])).toEqual([
      ['socket', faults[0]],
      ['script', faults[1]],
    ])
  })

  it('all at once', () => {
    const text = 'quue: a\nscript: []\nbridges:\n- url: a\n- 7\n- socket:\n'
    expect(read(text).complaints).toEqual([
      'quue (/f.yaml:1) is unknown; did you mean queue?',
      'script (/f.yaml:2) must be a plain value',
      'bridges[0].url (/f.yaml:4) belongs to the process, not to a bridge: it goes to the top level',
      'bridges[1] (/f.yaml:5) must be a mapping of option names to values',
      'bridges[2].socket (/f.yaml:6) has no value',
    ])
  })
})

describe('of any size below 1 MiB, is read in bounded time, with bounded complaints:', () => {
  const lines = (line: (index: number) => string) =>
    Array.from({ length: 20_000 }, (_, index) => line(index)).join('\n')

  it.each([
    ['keys that are all unknown', lines((index) => `k${index}:`)],
    ['a key again and again', lines(() => 'queue: a')],
    [
      'aliases of aliases of aliases',
      lines((index) => `a${index}: &a${index} [*a${index - 1}, *a${index - 1}]`),
    ],
    ['bridges that are none', `bridges:\n${'- a\n'.repeat(1_000)}`],
  ])('%s', (_, text) => {
    const { complaints } = read(text)
    expect(complaints).toHaveLength(51)
    expect(complaints.at(-1)).toBe('/f.yaml: more is wrong, which is not told')
  })
})

it.each([
  'url:amqp://alice:hunter2@host',
  'url amqp://alice:hunter2@host',
  'queue: a\nurl:amqp://alice:hunter2@host',
  'url:amqp://alice:hunter2@host\nqueue: a',
  'url: "amqp://alice:hunter2@host',
  'url: {amqp://alice:hunter2@host: 1}',
  '{url:amqp://alice:hunter2@host, queue: a}',
  '{"url":"amqp://alice:hunter2@host"',
  'amqp://alice:hunter2@host: 1',
  'amqp://alice:hunter2: 1',
  'url: [[amqp://alice:hunter2@host]]',
  'url: amqp://alice:hunter2@host\n\tqueue: a',
  'url: |\n amqp://alice:hunter2@host\nx',
  'bridges: amqp://alice:hunter2@host',
  'bridges: [amqp://alice:hunter2@host]',
])('a password is not given away: %j', (text) => {
  let told: string
  try {
    const { faults } = readConfigFile(written(text))
    told = faults.map(({ message }) => message).join()
  } catch (error) {
    told = (error as OptionError).message
  }
  expect(told).toContain('f.yaml')
  expect(told).not.toContain('hunter2')
})
