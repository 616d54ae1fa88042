import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readConfigFile } from '../../../src/command-line/config-file.ts'
import { collectOptions } from '../../../src/command-line/sources.ts'
import { Faults, OptionError } from '../../../src/config/option-error.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fpm-bridge-sources-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Writes a file and returns its path. */
function written(text: string | Buffer, name = 'config.yaml'): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

type Environment = Readonly<Record<string, string>>

function collect(
  flags: Readonly<Record<string, string>>,
  environment: Environment = {},
  command: 'run' | 'publish' = 'run',
) {
  const given = Object.entries(flags).map(([name, value]) => [name, [value]] as const)
  const { options, faults } = collectOptions(command, new Map(given), environment, readConfigFile)
  new Faults([...faults, ...[...options.values()].flatMap(({ fault }) => fault ?? [])]).throwAny()
  return options
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

describe('precedence', () => {
  const config = () => written('url: amqp://file')
  const secret = () => written('amqp://secret-file\n', 'secret')

  it('is flag, environment, config file, default', () => {
    const all = { url: 'amqp://flag', config: config() }
    const environment = { FPM_BRIDGE_URL: 'amqp://environment' }
    expect(collect(all, environment).get('url')).toEqual({
      values: ['amqp://flag'],
      origin: 'flag',
      source: '--url',
    })
    expect(collect({ config: config() }, environment).get('url')).toEqual({
      values: ['amqp://environment'],
      origin: 'environment',
      source: 'FPM_BRIDGE_URL',
    })
    expect(collect({ config: config() }).get('url')).toEqual({
      values: ['amqp://file'],
      origin: 'file',
      source: `${join(folder, 'config.yaml')}:1`,
      path: 'url',
    })
    expect(collect({}).get('url')).toMatchObject({
      values: ['amqp://guest:guest@127.0.0.1:5672'],
      origin: 'default',
    })
  })

  it('counts a file named by the environment as environment, without its line end', () => {
    const options = collect({ config: config() }, { FPM_BRIDGE_URL_FILE: secret() })
    expect(options.get('url')).toEqual({
      values: ['amqp://secret-file'],
      origin: 'environment',
      source: 'FPM_BRIDGE_URL_FILE',
    })
  })

  it.each([
    ['a line each', 'amqp://a\namqp://b\n'],
    ['lines of another system, and empty ones', '\r\namqp://a\r\n\r\n\r\namqp://b\r\n'],
    ['one line', ' amqp://a\t amqp://b '],
    ['a byte order mark', '\ufeffamqp://a\namqp://b'],
  ])('has several URLs from the environment, or from its file: %s', (_, text) => {
    const both = ['amqp://a', 'amqp://b']
    expect(collect({}, { FPM_BRIDGE_URL: text }).get('url')?.values).toEqual(both)
    expect(collect({}, { FPM_BRIDGE_URL_FILE: written(text, 'secrets') }).get('url')?.values).toEqual(both)
  })

  it('leaves white space alone where one value is meant', () => {
    expect(collect({}, { FPM_BRIDGE_QUEUE: ' a b ' }).get('queue')?.values).toEqual([' a b '])
  })

  it('lets a flag win before the environment is looked at', () => {
    const environment = { FPM_BRIDGE_URL: 'a', FPM_BRIDGE_URL_FILE: '/no/such/file' }
    expect(collect({ url: 'amqp://flag' }, environment).get('url')?.values).toEqual(['amqp://flag'])
  })

  it('takes the config file from the environment too', () => {
    expect(collect({}, { FPM_BRIDGE_CONFIG: written('queue: a') }).get('queue')?.values).toEqual(['a'])
  })

  it('leaves out what has neither value nor default', () => {
    expect(collect({}).has('socket')).toBe(false)
    expect(collect({}).has('daemon-id')).toBe(false)
  })
})

describe('the environment', () => {
  it('is read under documented names only', () => {
    const injected = {
      FPM_BRIDGE_PORT: 'tcp://10.0.0.1:80',
      FPM_BRIDGE_SERVICE_HOST: '10.0.0.1',
      FPM_BRIDGE_QUEUE_FILE: '/no/such/file',
      fpm_bridge_queue: 'x',
      QUEUE: 'x',
    }
    expect([...collect({}, injected)]).toEqual([...collect({})])
  })

  it('does not set what belongs to the command line alone', () => {
    expect(
      collect({}, { FPM_BRIDGE_BODY: 'x', FPM_BRIDGE_VERBOSE: 'true' }, 'publish').get('verbose')?.origin,
    ).toBe('default')
  })

  it('counts an empty variable as not set', () => {
    expect(
      collect({}, { FPM_BRIDGE_QUEUE: '', FPM_BRIDGE_CONFIG: '', FPM_BRIDGE_URL_FILE: '' }).get('queue')
        ?.origin,
    ).toBe('default')
  })

  it('has either the secret or its file', () => {
    const environment = { FPM_BRIDGE_URL: 'amqp://hunter2', FPM_BRIDGE_URL_FILE: '/hunter2' }
    expect(refusal(() => collect({}, environment))).toEqual([
      'FPM_BRIDGE_URL and FPM_BRIDGE_URL_FILE are both set; keep one',
      78,
    ])
  })

  it('may stand in a file that an editor has put a byte order mark into', () => {
    const environment = { FPM_BRIDGE_URL_FILE: written('\ufeffamqp://h\r\n', 'secret') }
    expect(collect({}, environment).get('url')?.values).toEqual(['amqp://h'])
  })

  it('in a file that is not UTF-8, as some shells write them, is refused', () => {
    const environment = { FPM_BRIDGE_URL_FILE: written(Buffer.from('\ufeffamqp://h', 'utf16le'), 'secret') }
    expect(refusal(() => collect({}, environment))).toEqual([
      'FPM_BRIDGE_URL_FILE names a file that is not UTF-8',
      78,
    ])
  })

  it('may name a file that is the secret itself: it is not repeated', () => {
    expect(refusal(() => collect({}, { FPM_BRIDGE_URL_FILE: 'amqp://alice:hunter2@host' }))).toEqual([
      'FPM_BRIDGE_URL_FILE names a file that does not exist',
      78,
    ])
  })
})
