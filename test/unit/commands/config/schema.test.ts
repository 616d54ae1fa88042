import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { afterAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { readConfigFile } from '../../../../src/command-line/config-file.ts'
import { OPTIONS } from '../../../../src/command-line/options.ts'
import { collectOptions } from '../../../../src/command-line/sources.ts'
import { configSchema } from '../../../../src/commands/config/schema.ts'
import { BRIDGE_OPTIONS } from '../../../../src/config/bridge-options.ts'
import { readRunConfig } from '../../../../src/config/run-config.ts'
import { refusal } from '../../../support/given.ts'
import { read } from '../../docs/page.ts'

const folder = mkdtempSync(join(tmpdir(), 'fpm-bridge-schema-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const committed: object = JSON.parse(read('config.schema.json'))
const takes = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: true }).compile(
  committed,
)

/** Whether the daemon takes the file, or what it complains of. */
function daemonSays(text: string): string {
  const path = join(folder, 'f.yaml')
  writeFileSync(path, text)
  return refusal(() =>
    readRunConfig(collectOptions('run', new Map([['config', [path]]]), {}, readConfigFile)),
  )[0]
}

const NEEDED = 'socket: /fpm.sock\nscript: /w.php\n'

describe('config.schema.json', () => {
  it('is what `npm run schema` makes of the option table', () => {
    expect(committed).toEqual(JSON.parse(JSON.stringify(configSchema())))
  })

  it('describes each option that a file may set', () => {
    const { properties } = configSchema() as { properties: Record<string, { description?: string }> }
    const names = OPTIONS.filter(({ scope, name }) => scope !== 'command-line' && name !== 'config').map(
      ({ name }) => name,
    )
    expect(Object.keys(properties).sort()).toEqual([...names, 'bridges'].sort())
    for (const { description } of Object.values(properties)) expect(description).toMatch(/\w/)
  })

  it('has defaults that it takes, and that the daemon takes', () => {
    const { properties } = committed as { properties: Record<string, { default?: unknown }> }
    const defaults = Object.entries(properties).filter(([, value]) => 'default' in value)
    expect(defaults.length).toBeGreaterThan(20)
    for (const [name, { default: value }] of defaults)
      expect([name, takes({ [name]: value })]).toEqual([name, true])
    const all = Object.fromEntries(defaults.map(([name, { default: value }]) => [name, value]))
    expect(
      daemonSays(
        `${NEEDED}${JSON.stringify({ ...all, ack: 'completed' })
          .slice(1, -1)
          .replaceAll(',"', '\n"')
          .replaceAll('":', '": ')}`,
      ),
    ).toBe('accepted')
  })

  const examples = ['docs/configuration.md', 'README.md'].flatMap((page) =>
    [...read(page).matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text as string),
  )

  it('takes the examples of the documentation, as the daemon does', () => {
    expect(examples.length).toBeGreaterThan(3)
    for (const text of examples) {
      expect([text, takes(parse(text) ?? {}), takes.errors]).toEqual([text, true, null])
      if (/^(?!#)/.test(text)) expect([text, daemonSays(text)]).toEqual([text, 'accepted'])
    }
  })

  it.each([
    'concurrency: 8',
    'timeout: 0',
    'timeout: 25m',
    'max-body: 8MiB',
    'keep-alive: on',
    'declare: false',
    'url: amqp://a',
    'url: [amqp://a, amqp://b]',
    'dead-letter-queue: dead',
    'socket: 127.0.0.1:9000',
    'name: a',
    'bridges:\n- queue: a\n- {queue: b, name: c, timeout: 0, prefetch: 8, log: x}'.replace(', log: x', ''),
  ])('takes %j, as the daemon does', (text) => {
    const whole = text.startsWith('socket') ? `script: /w.php\n${text}` : `${NEEDED}${text}`
    expect([takes(parse(whole)), daemonSays(whole)]).toEqual([true, 'accepted'])
  })

  it.each([
    'concurrency: 0',
    'concurrency: 65536',
    'concurrency: 1.5',
    'concurrency: many',
    'concurrency: 1_000',
    'concurrency: ~',
    'concurrency: [1]',
    'prefetch: {a: 1}',
    'timeout: 25',
    'timeout: 1 h',
    'retry-delay: 0',
    'max-body: 8MB',
    'keep-alive: yes',
    'ack: never',
    'declare: no',
    'declare: "yes"',
    'url: []',
    'queue: amq.a',
    'queue: ""',
    'script: worker.php',
    'status-path: status',
    'verbose: true',
    'config: /etc/f.yaml',
    'quue: a',
    `name: ${'n'.repeat(101)}`,
    'bridges: []',
    'bridges: {queue: a}',
    'bridges: [a]',
    'bridges:\n- socket: /a',
    'bridges:\n- {queue: a, url: amqp://a}',
    'bridges:\n- {queue: a, drain-timeout: 1s}',
    'bridges:\n- {queue: a, concurrency: 0}',
    'bridges:\n- {queue: a, bridges: []}',
    'queue: a\nbridges:\n- queue: b',
    'name: a\nbridges:\n- queue: b',
  ])('refuses %j, as the daemon does', (text) => {
    const whole = text.startsWith('script') ? `socket: /a\n${text}` : `${NEEDED}${text}`
    expect([takes(parse(whole)), daemonSays(whole)]).toEqual([false, expect.not.stringMatching(/^accepted$/)])
  })
})

it('the option table says of which bridge-level options there is a parser', () => {
  const names = OPTIONS.filter(({ scope }) => scope === 'bridge').map(({ name }) => name)
  expect(Object.keys(BRIDGE_OPTIONS).sort()).toEqual(names.sort())
})
