import { describe, expect, it, vi } from 'vitest'
import { parseCommandLine } from '../../../src/command-line/command-line.ts'
import { COMMANDS } from '../../../src/commands/index.ts'
import { Faults, OptionError } from '../../../src/config/option-error.ts'

/** The command and what it was given. */
async function parse(...args: string[]) {
  const parsed = await parseCommandLine(args, COMMANDS, '1.2.3')
  if (parsed.kind === 'help') return 'help'
  new Faults(parsed.faults).throwAny()
  return { name: parsed.command.name, flags: Object.fromEntries(parsed.flags), messages: parsed.words }
}

/** The one line, and the exit code, that a wrong command line ends with. */
async function refusal(...args: string[]): Promise<[message: string, exitCode: number]> {
  const error: unknown = await parse(...args).catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(OptionError)
  return [(error as OptionError).message, (error as OptionError).exitCode]
}

describe('commands', () => {
  it.each([
    [[], 'run'],
    [['run'], 'run'],
    [['--queue', 'a'], 'run'],
    [['publish'], 'publish'],
  ])('%j is %s', async (args, name) => {
    expect(await parse(...args)).toMatchObject({ name })
  })

  it('run takes no arguments, publish takes messages as they are', async () => {
    expect(await parse('publish', '{"n": 1}', '', '007', '1e3', '-5')).toMatchObject({
      messages: ['{"n": 1}', '', '007', '1e3', '-5'],
    })
    expect(await refusal('run', 'extra')).toEqual(['Unknown argument: extra; see fpm-bridge --help', 64])
  })

  it('publish takes what follows -- as messages, even when it looks like a flag', async () => {
    expect(await parse('publish', '--', '--count', '-5')).toMatchObject({ messages: ['--count', '-5'] })
  })

  it('run refuses what follows --', async () => {
    expect((await refusal('run', '--', 'extra'))[1]).toBe(64)
  })
})

describe('flags', () => {
  it('that are not given are absent: a default would hide environment and file', async () => {
    expect(await parse('run')).toMatchObject({ flags: {} })
  })

  it.each([
    [['--queue', 'a'], { queue: ['a'] }],
    [['--queue=a'], { queue: ['a'] }],
    [['--queue=a=b'], { queue: ['a=b'] }],
    [['-q', 'a', '-s', '/fpm.sock'], { queue: ['a'], socket: ['/fpm.sock'] }],
    [['--queue='], { queue: [''] }],
    [['--queue', ''], { queue: [''] }],
    [['--queue', '007'], { queue: ['007'] }],
    [['--queue', 'true'], { queue: ['true'] }],
    [['--prefetch', '-1'], { prefetch: ['-1'] }],
    [['--prefetch=-1'], { prefetch: ['-1'] }],
    [['--prefetch', '1e3'], { prefetch: ['1e3'] }],
    [['--prefetch', '0x10'], { prefetch: ['0x10'] }],
    [['--declare'], { declare: ['true'] }],
    [['--no-declare'], { declare: ['false'] }],
  ])('%j', async (args, flags) => {
    expect(await parse('run', ...args)).toMatchObject({ flags })
  })

  it('of a list are kept in order', async () => {
    expect(await parse('publish', '--header', 'b=1', '{}', '--header', 'a=2')).toMatchObject({
      flags: { header: ['b=1', 'a=2'] },
      messages: ['{}'],
    })
  })
})

describe('refused, in one line', () => {
  it.each([
    [['--queue', 'a', '--queue', 'b'], '--queue is given 2 times; it takes one value'],
    [['--queue', 'a', '-q', 'a'], '--queue is given 2 times; it takes one value'],
    [['--config', 'a', '--config', 'b'], '--config is given 2 times; it takes one value'],
    [['frobnicate'], 'Unknown argument: frobnicate; see fpm-bridge --help'],
    [['--frobnicate'], 'Unknown argument: frobnicate; see fpm-bridge --help'],
    [['--no-frobnicate'], 'Unknown argument: frobnicate; see fpm-bridge --help'],
    [['--Queue', 'a'], 'Unknown argument: Queue; did you mean --queue?'],
    [['--scoket', 'a'], 'Unknown argument: scoket; did you mean --socket?'],
    [['--no-declared'], 'Unknown argument: declared; did you mean --declare?'],
    [['publsh'], 'Unknown argument: publsh; did you mean publish?'],
    [['run', 'publish'], 'Unknown argument: publish; see fpm-bridge --help'],
    [
      ['--queu', 'a', '--declare', '--no-declare', '--script', '/a', '--script', '/b'],
      'Unknown argument: queu; did you mean --queue?\n--declare is given 2 times\n--script is given 2 times; it takes one value',
    ],
    [['--queue.name', 'a'], 'Unknown argument: queue.name; see fpm-bridge --help'],
    [['--constructor', 'a'], 'Unknown argument: constructor; see fpm-bridge --help'],
    [['--toString'], 'Unknown argument: toString; see fpm-bridge --help'],
    [['-x'], 'Unknown argument: x; see fpm-bridge --help'],
    [['--count', '3'], 'Unknown argument: count; see fpm-bridge --help'],
    [['publish', '--socket', '/fpm.sock'], 'Unknown argument: socket; see fpm-bridge --help'],
  ])('%j', async (args, message) => {
    expect(await refusal(...args)).toEqual([message, 64])
  })

  it.each([
    ['at the end', ['--queue']],
    ['before another flag', ['--queue', '--socket', '/fpm.sock']],
    ['of publish', ['publish', '--count']],
    ['in its short form', ['-q']],
  ])('a flag without its value %s', async (_, args) => {
    const [message, exitCode] = await refusal(...args)
    expect(message).toMatch(/^(--queue|--count|-q) needs a value; see fpm-bridge --help$/)
    expect(exitCode).toBe(64)
  })

  it.each([
    ['an option that cannot be switched off', ['--no-queue'], '--queue cannot be switched off'],
    [
      'an option that cannot be switched off, of publish',
      ['publish', '--no-count'],
      '--count cannot be switched off',
    ],
    ['a switch both ways', ['--declare', '--no-declare'], '--declare is given 2 times'],
  ])('%s', async (_, args, message) => {
    expect(await refusal(...args)).toEqual([message, 64])
  })

  it.each(['maybe', 'TRUE', 'yes', '1', ''])(
    'a switch set to "%s", which would quietly be off',
    async (value) => {
      expect(await refusal('run', `--declare=${value}`)).toEqual([
        '--declare takes no value; there is --no-declare',
        64,
      ])
    },
  )

  it.each([
    [['run', 'amqp://alice:hunter2@host']],
    [['amqp://alice:hunter2@host']],
    [['--url', 'amqp://one', 'amqp://alice:hunter2@host']],
    [['-url', 'amqp://alice:hunter2@host']],
    [['--tls-ca', 'amqp://alice:hunter2@a', '--tls-ca', 'amqp://alice:hunter2@b']],
    [['--amqp://alice:hunter2@host']],
    [['--ulr=amqp://alice:hunter2@host']],
  ])('%j without its password', async (args) => {
    const [message] = await refusal(...args)
    expect(message).not.toContain('hunter2')
    expect(message.split('\n').every((line) => /^(Unknown argument|--tls-ca)/.test(line))).toBe(true)
  })
})

describe('--help', () => {
  it.each([[[]], [['run']], [['publish']]])(
    'of %j says where else values come from, and no types',
    async (command) => {
      const print = vi.spyOn(console, 'log').mockImplementation(() => {})
      expect(await parse(...command, '--help')).toBe('help')
      const text = print.mock.calls.join('\n').replace(/\s+/g, ' ')
      print.mockRestore()
      expect(text).toContain('FPM_BRIDGE_URL for --url')
      expect(text.match(/Exit codes/g)).toHaveLength(1)
      expect(text).not.toContain('[string]')
      expect(text).toContain('they must exist [on]')
      if (!command.includes('publish'))
        expect(text).toMatch(/--socket .*?\[required\] --script .*?\[required\]/)
    },
  )
})
