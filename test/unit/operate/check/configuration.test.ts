import { execFileSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readConfiguration } from '../../../../src/operate/check/configuration.ts'
import { type Given, options } from '../../../support/given.ts'
import { quotedIn } from '../../../support/looks.ts'
import { removeFolder, temporaryFolder } from '../../../support/run-folder.ts'

/* Ways in which the options can be wrong: each is found, with the remedy, which is applied, and then that point has passed. */

const folder = temporaryFolder('check-configuration')
afterAll(() => removeFolder(folder))

const RIGHT: Given = { socket: '/run/php/fpm.sock', script: '/srv/worker.php' }
const SECRET = 'amqp://bridge:s3cret@127.0.0.1'

function read(given: Given, unread: readonly string[] = []) {
  const { findings, ...readable } = readConfiguration(options('check', { ...given }), unread)
  const at = (point: string) => findings.filter((finding) => finding.point === point)
  return { ...readable, at }
}

function file(text: string): string {
  const path = join(folder, 'fpm-bridge.yaml')
  writeFileSync(path, text, { mode: 0o640 })
  return path
}

const statusesOf = (findings: readonly { status: string }[]) => findings.map(({ status }) => status)

describe('the configuration', () => {
  it('is told, a line for each bridge', () => {
    const { at, bridges } = read({
      config: file('socket: /run/fpm.sock\nscript: /srv/w.php\nbridges: [{ queue: a }, { queue: b }]\n'),
    })
    expect(at('options').map(({ subject, status }) => [subject, status])).toEqual([
      ['a', 'passed'],
      ['b', 'passed'],
    ])
    expect(bridges).toHaveLength(2)
  })

  it('has a value that cannot be: correct it', () => {
    const { at, brokers } = read({ ...RIGHT, concurrency: '0' })
    expect(at('options')).toEqual([
      expect.objectContaining({
        status: 'failed',
        fault: 'configuration',
        text: expect.stringContaining('--concurrency must be'),
        remedy: expect.stringContaining('docs/options.md'),
      }),
    ])
    // The broker can be looked at all the same.
    expect(brokers).toHaveLength(1)
    expect(statusesOf(read(RIGHT).at('options'))).toEqual(['passed'])
  })

  it('has one bridge that is wrong: the others are looked at', () => {
    const text = (socket: string) =>
      `script: /srv/w.php\nbridges:\n  - { queue: a, socket: /run/fpm.sock }\n  - { queue: b, socket: ${socket} }\n`
    const { at, bridges } = read({ config: file(text('fpm.sock')) })
    expect(at('options')).toHaveLength(1)
    expect(at('options')[0]?.text).toContain('bridges[1].socket')
    expect(bridges.map(({ queue }) => queue)).toEqual(['a'])
    expect(statusesOf(read({ config: file(text('/run/fpm.sock')) }).at('options'))).toEqual([
      'passed',
      'passed',
    ])
  })

  it('has a key that is none: correct it', () => {
    const text = (key: string) => `socket: /run/fpm.sock\nscript: /srv/w.php\n${key}: 5\n`
    const [found] = read({ config: file(text('concurency')) }).at('options')
    expect(found).toMatchObject({ status: 'failed', fault: 'configuration' })
    expect(found?.text).toContain('concurrency')
    expect(statusesOf(read({ config: file(text('concurrency')) }).at('options'))).toEqual(['passed'])
  })
})

it('a variable that is no option: correct its name', () => {
  const [found] = read(RIGHT, ['FPM_BRIDGE_QEUE (did you mean FPM_BRIDGE_QUEUE?)']).at('environment')
  expect(found).toMatchObject({
    status: 'warned',
    text: 'FPM_BRIDGE_QEUE (did you mean FPM_BRIDGE_QUEUE?) is ignored: there is no such option',
    remedy: 'correct its name, or unset it',
  })
  expect(statusesOf(read(RIGHT, []).at('environment'))).toEqual(['passed'])
})

describe('a password', () => {
  it('on the command line: elsewhere', () => {
    const [found] = read({ ...RIGHT, url: SECRET }).at('password')
    expect(found).toMatchObject({ status: 'warned', remedy: expect.stringContaining('FPM_BRIDGE_URL_FILE') })
    expect(JSON.stringify(found)).not.toContain('s3cret')
  })

  it('in a file that everybody can read: chmod', () => {
    const path = file(`url: ${SECRET}\nsocket: /run/fpm.sock\nscript: /srv/w.php\n`)
    chmodSync(path, 0o644)
    const [found] = read({ config: path }).at('password')
    expect(found).toMatchObject({ status: 'warned', text: expect.stringContaining(path) })
    const [command = ''] = quotedIn(found && 'remedy' in found ? (found.remedy ?? '') : '')
    expect(command).toBe(`chmod o-r ${path}`)
    execFileSync('sh', ['-c', command])
    expect(statusesOf(read({ config: path }).at('password'))).toEqual(['passed'])
  })

  it('that everybody knows is none', () => {
    expect(read({ ...RIGHT, url: 'amqp://guest:guest@127.0.0.1' }).at('password')).toEqual([])
  })
})
