import { expect, test } from 'vitest'
import { runBridge, spawnBridge } from '../support/bridge-process.ts'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'

/* Environment variables that look like options and are none. */

const TYPO = { FPM_BRIDGE_CONCURENCY: 'hunter2' }
const TOLD = 'FPM_BRIDGE_CONCURENCY (did you mean FPM_BRIDGE_CONCURRENCY?)'
const IGNORED = 'Ignored environment variables: there are no such options.'
const COMPLAINT = `fpm-bridge: ignored environment variables: there are no such options: ${TOLD}`
const NOBODY = ['--url', 'amqp://127.0.0.1:1']
const GOOD = [...NOBODY, '--socket', '/run/php/fpm.sock', '--script', '/srv/worker.php']
const messages = (log: readonly { message: string }[]) => log.map(({ message }) => message)

test('a daemon warns once when it starts, and not of what Kubernetes sets', async () => {
  const service = { FPM_BRIDGE_SERVICE_HOST: '10.0.0.1', FPM_BRIDGE_PORT_9100_TCP: 'tcp://10.0.0.1:9100' }
  const daemon = await spawnBridge(['run', ...GOOD], { ...TYPO, ...service })
  const line = await daemon.waitForLine(IGNORED)
  expect(line).toMatchObject({ level: 'warn', variables: TOLD })
  await daemon.waitForLine('Starting.')
  daemon.signal('SIGTERM')
  expect(await daemon.exited).toMatchObject({ code: 0 })
  expect(count(daemon.log, IGNORED)).toBe(1)
  expect(JSON.stringify(daemon.log)).not.toContain('hunter2')
})

test('with what Kubernetes sets alone it says nothing', async () => {
  const daemon = await spawnBridge(['run', ...GOOD], { FPM_BRIDGE_PORT: 'tcp://10.0.0.1:9100' })
  await daemon.waitForLine('Starting.')
  daemon.signal('SIGTERM')
  await daemon.exited
  expect(count(daemon.log, IGNORED)).toBe(0)
})

test('of a fleet the supervisor warns, and not each process', async () => {
  const fleet = await spawnBridge(['run', ...GOOD, '--instances', '2', '--daemon-id', 'F'], TYPO)
  await eventually('both start', () => count(fleet.log, 'Starting.') === 2)
  fleet.signal('SIGTERM')
  await fleet.exited
  expect(count(fleet.log, IGNORED)).toBe(1)
  expect(fleet.log.find(({ message }) => message === IGNORED)).not.toMatchObject({
    daemon_id: expect.stringContaining('F-'),
  })
})

test.for([
  { args: ['run', ...NOBODY, '--script', '/w.php'], code: 64, says: ['--socket is required'] },
  { args: ['config', ...NOBODY, '--script', '/w.php'], code: 64, says: ['--socket is required'] },
  { args: ['config', ...GOOD, '--check'], code: 0, says: [] },
  { args: ['publish', ...NOBODY, '{}'], code: 69, says: ['cannot connect to amqp://'] },
  { args: ['publish', ...NOBODY, '--count', '0'], code: 64, says: ['--count'] },
])('$args says so on standard error, and ends with $code as without', async ({ args, code, says }) => {
  const ended = await runBridge(args, TYPO)
  expect(ended).toMatchObject({ code, stdout: [] })
  expect(messages(ended.log)).toEqual([
    COMPLAINT,
    ...says.map((text) => expect.stringContaining(`fpm-bridge: ${text}`)),
  ])
})

test.for([['--help'], ['config', '--schema']])('%j says nothing of them', async (args) => {
  expect(await runBridge(args, TYPO)).toMatchObject({ code: 0, log: [] })
})
