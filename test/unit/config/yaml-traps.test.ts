import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readConfigFile } from '../../../src/command-line/config-file.ts'
import { collectOptions } from '../../../src/command-line/sources.ts'
import { readRunConfig } from '../../../src/config/run-config.ts'
import { refusal } from '../../support/given.ts'

/* What YAML 1.1, a hurried hand or a template makes of a value, and what becomes of it: the table of docs/configuration.md. */

const folder = mkdtempSync(join(tmpdir(), 'fpm-bridge-yaml-traps-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function bridge(text: string) {
  const path = join(folder, 'f.yaml')
  writeFileSync(path, `${text}\nsocket: /fpm.sock\nscript: /w.php\n`)
  return readRunConfig(collectOptions('run', new Map([['config', [path]]]), {}, readConfigFile)).bridges[0]
}

describe('refused', () => {
  it.each([
    ['declare: no', 'declare (/f.yaml:1) must be true or false, not "no"'],
    ['declare: off', 'declare (/f.yaml:1) must be true or false, not "off"'],
    ['declare: True', 'declare (/f.yaml:1) must be true or false, not "True"'],
    ['declare: 0', 'declare (/f.yaml:1) must be true or false, not "0"'],
    ['%YAML 1.1\n---\ndeclare: no', 'declare (/f.yaml:3) must be true or false, not "no"'],
    ['concurrency: 1_000', 'concurrency (/f.yaml:1) must be an integer from 1 to 65535, not "1_000"'],
    ['concurrency: 0x10', 'concurrency (/f.yaml:1) must be an integer from 1 to 65535, not "0x10"'],
    ['concurrency: 0o10', 'concurrency (/f.yaml:1) must be an integer from 1 to 65535, not "0o10"'],
    ['concurrency: 1e3', 'concurrency (/f.yaml:1) must be an integer from 1 to 65535, not "1e3"'],
    ['concurrency: 4.0', 'concurrency (/f.yaml:1) must be an integer from 1 to 65535, not "4.0"'],
    ['concurrency: 1:30', 'concurrency (/f.yaml:1) must be an integer from 1 to 65535, not "1:30"'],
    [
      'concurrency: 2024-01-01',
      'concurrency (/f.yaml:1) must be an integer from 1 to 65535, not "2024-01-01"',
    ],
    ['concurrency: .inf', 'concurrency (/f.yaml:1) must be an integer from 1 to 65535, not ".inf"'],
    [
      'concurrency: $CONCURRENCY',
      'concurrency (/f.yaml:1) must be an integer from 1 to 65535, not "$CONCURRENCY"',
    ],
    ['concurrency: {{ n }}', 'concurrency (/f.yaml:1) must be a plain value'],
    ['timeout: 30', 'timeout (/f.yaml:1) must be a duration such as 500ms, 30s, 25m or 2h, not "30"'],
    ['queue: "a\\0b"', 'queue (/f.yaml:1) must not have control characters, not "a\\u0000b"'],
    ['queue: a\0b', 'queue (/f.yaml:1) must not have control characters, not "a\\u0000b"'],
    ['queue: |\n  a', 'queue (/f.yaml:1) must not have control characters, not "a\\n"'],
    ['queue: ""', 'queue (/f.yaml:1) must not be empty'],
  ])('%j', (text, complaint) => {
    expect(refusal(() => bridge(text)).map((part) => `${part}`.replaceAll(folder, ''))).toEqual([
      complaint,
      '78',
    ])
  })
})

describe('harmless', () => {
  it.each([
    ['concurrency: 012', { concurrency: 12 }],
    ['concurrency: "12"', { concurrency: 12 }],
    ['keep-alive: off', { keepAlive: false }],
    ['keep-alive: on', { keepAlive: true }],
    ['queue: no', { queue: 'no' }],
    ['queue: 012', { queue: '012' }],
    ['queue: 2024-01-01', { queue: '2024-01-01' }],
    ['queue: >-\r\n  a', { queue: 'a' }],
  ])('%j', (text, expected) => {
    expect(bridge(text)).toMatchObject(expected)
  })
})
