import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { collectOptions } from '../../../src/command-line/sources.ts'
import { OptionError } from '../../../src/config/reader.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fpm-bridge-sources-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Writes a file and returns its path. */
function written(text: string): string {
  const path = join(folder, 'config.yaml')
  writeFileSync(path, text)
  return path
}

const collect = (path: string) => collectOptions('run', new Map([['config', [path]]]), {})

/** The options that a config file sets. */
function fromFile(text: string): Record<string, readonly string[]> {
  const options = [...collect(written(text))]
  return Object.fromEntries(
    options.filter(([, { origin }]) => origin === 'file').map(([name, { values }]) => [name, values]),
  )
}

function refusal(read: () => unknown): [message: string, exitCode: number] {
  try {
    read()
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
    ['a byte order mark', '\ufeffqueue: a', { queue: ['a'] }],
    ['a list', 'url: [amqp://a, amqp://b]', { url: ['amqp://a', 'amqp://b'] }],
    ['options of the other command', 'socket: /fpm.sock', { socket: ['/fpm.sock'] }],
    ['a quoted value', 'queue: "007"', { queue: ['007'] }],
    ['a colon in a value', 'url: amqp://a:b@host', { url: ['amqp://a:b@host'] }],
  ])('with %s', (_, text, expected) => {
    expect(fromFile(text)).toEqual(expected)
  })

  it.each([
    ['zeros in front', 'queue: 007', '007'],
    ['what looks like a float', 'queue: 1e3', '1e3'],
    ['what looks like hexadecimal', 'queue: 0x10', '0x10'],
    ['more digits than a double has', 'queue: 12345678901234567890', '12345678901234567890'],
    ['a float', 'queue: 1.10', '1.10'],
  ])('means what stands there: %s', (_, text, value) => {
    expect(fromFile(text)).toEqual({ queue: [value] })
  })

  it.each([
    ['malformed YAML', 'queue: "a', '/config.yaml is malformed at line 1 (MISSING_CHAR)'],
    ['malformed JSON', '{"queue": "a"', '/config.yaml is malformed at line 1 (MISSING_CHAR)'],
    ['a tab', 'queue:\n\tname: a', '/config.yaml is malformed at line 2 (TAB_AS_INDENT)'],
    ['a key given twice', 'queue: a\nqueue: b', '/config.yaml is malformed at line 2 (DUPLICATE_KEY)'],
    ['two documents', 'queue: a\n---\nqueue: b', '/config.yaml is malformed at line 2 (MULTIPLE_DOCS)'],
    ['a list', '- queue', '/config.yaml must be a mapping of option names to values'],
    ['a scalar', 'queue', '/config.yaml must be a mapping of option names to values'],
    ['a mapping as a value', 'queue: {a: b}', 'queue in /config.yaml must be a plain value'],
    ['a list as a single value', 'queue: [a]', 'queue in /config.yaml must be a plain value'],
    ['no value', 'queue:', 'queue in /config.yaml must be a plain value'],
  ])('with %s is refused', (_, text, message) => {
    expect(refusal(() => fromFile(text))).toEqual([message, 78])
  })

  it.each(['prefetsch', 'Queue', 'daemonId', 'config', 'verbose', 'body', '__proto__', 'constructor', '<<'])(
    'with the key %s is refused, with those that are known',
    (key) => {
      const [message, exitCode] = refusal(() => fromFile(`${key}: a`))
      expect(message).toMatch(
        new RegExp(`^unknown key "${key}" in /config.yaml; known are url, queue, .*, log-format$`),
      )
      expect(exitCode).toBe(78)
    },
  )

  it('that cannot be read is refused', () => {
    expect(refusal(() => collect('/no/such/file'))).toEqual(['--config names a file that does not exist', 78])
    expect(refusal(() => collect(folder))).toEqual(['--config names a file that is a directory', 78])
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
    'url: [[amqp://alice:hunter2@host]]',
    'url: amqp://alice:hunter2@host\n\tqueue: a',
    'url: |\n amqp://alice:hunter2@host\nx',
  ])('does not give its password away: %j', (text) => {
    const [message, exitCode] = refusal(() => fromFile(text))
    expect(message).not.toContain('hunter2')
    expect(message).not.toContain('\n')
    expect(exitCode).toBe(78)
  })
})
