import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject } from 'vitest'
import { type BridgeProcess, runBridge, spawnBridge } from '../support/bridge-process.ts'
import { brokerAt } from '../support/broker-api.ts'
import { eventually } from '../support/eventually.ts'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import { test, workerScript } from '../support/fixtures.ts'
import { numbers, publishAll } from '../support/messages.ts'
import { freePorts } from '../support/ports.ts'
import { removeFolder, temporaryFolder } from '../support/run-folder.ts'

/*
 * Everything that a run writes, searched for the password.
 */

const PASSWORD = 'Zq7/k@u:9%xW'
const ENCODED = encodeURIComponent(PASSWORD)
/** Nobody listens there. */
const DEAD = `amqp://alice:${ENCODED}@127.0.0.1:1`
const FORMS = [
  PASSWORD,
  ENCODED,
  ENCODED.toLowerCase(),
  Buffer.from(PASSWORD).toString('base64').slice(0, -4),
  Buffer.from(`\0alice\0${PASSWORD}`).toString('base64'),
]

const folder = temporaryFolder('secrets')
const broker = brokerAt(inject('broker'))
/** To the broker; where it may go away, and come back. */
let link: FaultProxy
beforeAll(async () => {
  const [port] = (await freePorts(1)) as [number]
  link = await startFaultProxy(port, broker.port)
  await broker.api('PUT', '/users/alice', { password: PASSWORD, tags: '' })
  const everything = { configure: '.*', write: '.*', read: '.*' }
  await broker.api('PUT', '/permissions/%2F/alice', everything)
})
afterAll(async () => {
  await link.close()
  await broker.api('DELETE', '/users/alice')
  removeFolder(folder)
})

const urlOf = (user: string) => `amqp://${user}:${ENCODED}@127.0.0.1:${link.port}`

/** A file of URLs, as a secret is mounted; its name has nothing of them. */
function secretFile(...urls: string[]): string {
  const path = join(folder, `urls-${urls.length}-${Math.random()}`)
  writeFileSync(path, `${urls.join('\n')}\n`)
  return path
}

function expectNoPassword(written: unknown): void {
  const text = typeof written === 'string' ? written : JSON.stringify(written)
  for (const form of FORMS) expect(text).not.toContain(form)
}

/** What everybody on the machine can see of a process. */
function visibleOf({ pid }: BridgeProcess): string {
  return ['cmdline', 'comm', 'status'].map((file) => readFileSync(`/proc/${pid}/${file}`, 'utf8')).join('\n')
}

test.for(['text', 'json'])(
  'a full run with --log-format %s has no password in it',
  async (format, { queue, sharedPool }) => {
    await broker.api('PUT', '/users/alice', { password: PASSWORD, tags: '' })
    const logging = ['--log-format', format, '--log-level', 'debug']
    const daemon = await spawnBridge(
      ['run', '-q', queue, '-s', sharedPool.socket, '--script', workerScript, ...logging],
      { FPM_BRIDGE_URL_FILE: secretFile(urlOf('nobody'), DEAD, urlOf('alice')) },
    )
    const lines = (text: string) => daemon.log.filter((line) => JSON.stringify(line).includes(text)).length
    try {
      await daemon.waitForLine('Consuming.')
      expect(lines('Passed over')).toBe(2)
      expectNoPassword(visibleOf(daemon))
      await publishAll(broker, queue, ['not JSON', ...numbers(2)])
      await daemon.waitForLine('Dead-lettered.')

      await link.lose()
      await eventually('nobody listens there', () => lines('Not consuming') > 0)
      await link.heal()
      await eventually('it consumes again', () => lines('Consuming.') === 2)
      // The login that worked fails from now on, and works again.
      const failures = lines('Not consuming')
      await broker.api('PUT', '/users/alice', { password: 'another', tags: '' })
      link.reset()
      await eventually('the login fails', () => lines('Not consuming') > failures)
      await broker.api('PUT', '/users/alice', { password: PASSWORD, tags: '' })
      await eventually('it consumes once more', () => lines('Consuming.') === 3)

      daemon.signal('SIGTERM')
      expect(await daemon.exited).toMatchObject({ code: 0 })
    } finally {
      await daemon.kill()
    }
    expect(daemon.log.length).toBeGreaterThan(10)
    expectNoPassword([daemon.log, daemon.stdout])
  },
)

test.for<[what: string, code: number, args: readonly string[], urls: () => string[]]>([
  ['publish', 0, ['publish', '{"number":1}', '--verbose'], () => [urlOf('nobody'), urlOf('alice')]],
  ['publish, refused', 78, ['publish', '{}'], () => [urlOf('nobody')]],
  ['publish to nobody', 69, ['publish', '{}'], () => [DEAD]],
  ['run, refused', 78, ['run', '-s', '/x', '--script', '/x'], () => [urlOf('nobody'), urlOf('somebody')]],
  [
    'run, with a URL that is none',
    78,
    ['run', '-s', '/x', '--script', '/x'],
    () => [urlOf('alice'), `${ENCODED}@x`],
  ],
  [
    'run, with a slash as it is',
    78,
    ['run', '-s', '/x', '--script', '/x'],
    () => [`amqp://alice:${PASSWORD}@host`],
  ],
  ['--help', 0, ['--help'], () => [urlOf('alice')]],
  ['publish --help', 0, ['publish', '--help'], () => [urlOf('alice')]],
])('%s: no password', async ([, code, args, urls], { queue }) => {
  const target = args.includes('--help') ? [] : ['-q', queue]
  for (const environment of [
    { FPM_BRIDGE_URL_FILE: secretFile(...urls()) },
    { FPM_BRIDGE_URL: urls().join(' ') },
  ]) {
    const result = await runBridge([...args, ...target], environment)
    expect(result.code).toBe(code)
    expect(result.log.length + result.stdout.length).toBeGreaterThan(0)
    expectNoPassword([result.log, result.stdout])
  }
})

test('a password on the command line is in no message either', async ({ queue }) => {
  const given = ['--url', urlOf('nobody'), '--url', `amqp://alice:${PASSWORD}@host`]
  const result = await runBridge(['publish', ...given, '-q', queue, '{}'])
  expect(result.code).toBe(64)
  expectNoPassword([result.log, result.stdout])
})
