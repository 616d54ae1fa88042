import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readConfigFile } from '../../../../src/command-line/config-file.ts'
import { collectOptions } from '../../../../src/command-line/sources.ts'
import { effectiveConfig, type Setting } from '../../../../src/commands/config/effective.ts'
import { formatConfig } from '../../../../src/commands/config/text.ts'
import { readRunConfig } from '../../../../src/config/run-config.ts'

const folder = mkdtempSync(join(tmpdir(), 'fpm-bridge-effective-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

type Texts = Readonly<Record<string, string>>

function given(file: string, flags: Texts = {}, environment: Texts = {}) {
  const config = join(folder, 'f.yaml')
  writeFileSync(config, file)
  const all = Object.entries({ ...flags, config }).map(([name, value]) => [name, [value]] as const)
  return collectOptions('run', new Map(all), environment, readConfigFile)
}

function effective(...args: Parameters<typeof given>) {
  const options = given(...args)
  return effectiveConfig(options, readRunConfig(options))
}

const find = (settings: readonly Setting[] | undefined, name: string) => {
  const { value, source } = settings?.find((setting) => setting.name === name) ?? {}
  return [value, source?.replace(folder, '')]
}

const POOL = 'socket: /fpm.sock\nscript: /w.php\n'

describe('the effective configuration', () => {
  it('has each value with its source', () => {
    const { process, bridges } = effective(
      `log-level: warn\ndeclare: false\n${POOL}bridges:\n- queue: a\n  concurrency: 8\n- queue: b\n`,
      { timeout: '20m' },
      { FPM_BRIDGE_DRAIN_TIMEOUT: '5s' },
    )
    expect(find(process, 'log-level')).toEqual(['warn', '/f.yaml:1'])
    expect(find(process, 'drain-timeout')).toEqual(['5s', 'FPM_BRIDGE_DRAIN_TIMEOUT'])
    expect(find(process, 'log-format')).toEqual(['auto', 'default'])
    expect(bridges.map((bridge) => find(bridge, 'concurrency'))).toEqual([
      [8, '/f.yaml:7'],
      [4, 'default'],
    ])
    expect(bridges.map((bridge) => find(bridge, 'timeout'))).toEqual([
      ['20m', '--timeout'],
      ['20m', '--timeout'],
    ])
    expect(find(bridges[0], 'declare')).toEqual([false, '/f.yaml:2'])
  })

  it('has what follows from other options, and nothing for what does not', () => {
    const { process, bridges } = effective(`queue: a\nack: completed\nconcurrency: 8\n${POOL}`)
    expect(find(bridges[0], 'prefetch')).toEqual([12, 'default'])
    expect(find(bridges[0], 'dead-letter-queue')).toEqual(['a.dead', 'default'])
    expect(find(bridges[0], 'name')).toEqual(['a', 'default'])
    expect(find(process, 'daemon-id')).toEqual([undefined, 'default'])
    expect(find(process, 'tls-ca')).toEqual([undefined, 'default'])
  })

  it.each([
    ['amqp://u:hunter2@h', 'amqp://u:***@h'],
    ['amqps://u:hunter2%40@h:1/%2f?heartbeat=3', 'amqps://u:***@h:1/%2f?heartbeat=3'],
    ['amqp://:hunter2@h/a', 'amqp://:***@h/a'],
    ['amqp://u@h', 'amqp://u@h'],
    ['amqp://h', 'amqp://h'],
  ])('shows %s as %s', (url, shown) => {
    expect(find(effective(POOL, { url }).process, 'url')).toEqual([[shown], '--url'])
  })
})

describe('as text', () => {
  const text = (...args: Parameters<typeof given>) => {
    const options = given(...args)
    return formatConfig(effectiveConfig(options, readRunConfig(options)), options.bridges !== undefined)
  }

  it('is a config file, with sources in comments', () => {
    const lines = text(`url: [amqp://u:p@h, amqp://i]\n${POOL}bridges:\n- queue: a`).map((line) =>
      line.replace(folder, ''),
    )
    expect(lines.slice(0, 4)).toEqual([
      'url:                                         # /f.yaml:1',
      '  - amqp://u:***@h',
      '  - amqp://i',
      'tls-insecure: false                          # default',
    ])
    expect(lines).toContain('bridges:')
    expect(lines).toContain('  - name: a                                      # default')
    expect(lines).toContain('    queue: a                                     # /f.yaml:5')
  })

  it.each([
    '007',
    'no',
    'On',
    '1e3',
    '0x10',
    'a b',
    'a: b',
    '#a',
    ' a',
    "it's",
    'ü',
    'a\\"b',
    'null',
    '-',
    '~',
    '22:22',
    '2024-01-01',
  ])('has a value that means the same when it is read again: %j', (name) => {
    const printed = text(`queue: q\ndead-letter-queue: ${JSON.stringify(name)}\nack: completed\n${POOL}`)
    expect(readRunConfig(given(printed.join('\n'))).bridges[0]).toMatchObject({ deadLetterQueue: name })
  })
})
