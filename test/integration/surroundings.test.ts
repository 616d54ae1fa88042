import { execFileSync } from 'node:child_process'
import { cpSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { runBridge, spawnBridge } from '../support/bridge-process.ts'
import { closeConnection } from '../support/broker-connections.ts'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { numbers, publishAll, takeAll } from '../support/messages.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { workerThat } from '../support/worker-script.ts'

/* What a shell, a service manager or a deploy may leave around the process. */

const under = (command: string) => ['bash', '-c', `${command}; exec "$@"`, 'bash']
const GOOD = ['--socket', '/run/php/fpm.sock', '--script', '/srv/worker.php']

/** How many it takes depends on Node.js: of 20, more than 38. */
test('with few open files it starts, or one line says how many there have to be', async () => {
  for (const limit of [24, 32, 40, 48, 60]) {
    const args = ['run', ...GOOD, '--url', 'amqp://127.0.0.1:1', '--log-format', 'json']
    const bridge = await spawnBridge(args, {}, under(`ulimit -n ${limit}`))
    const line = await bridge.waitForLine(() => true)
    if (line.message !== 'Starting.') {
      expect(line.message).toContain(`fpm-bridge: ${limit} open files are too few to start with; allow 1024`)
      expect(await bridge.exited).toMatchObject({ code: 78 })
      expect(bridge.log).toHaveLength(1)
    }
    await bridge.kill()
  }
})

test('a folder that a deploy has deleted is no matter', async ({ broker, queue, startDaemon }) => {
  const gone = under('mkdir "$HOME/gone" && cd "$HOME/gone" && rmdir "$HOME/gone"')
  const environment = { HOME: temporaryFolder('home') }
  const publisher = await spawnBridge(['publish', '--url', broker.url, '-q', queue, '{}'], environment, gone)
  expect(await publisher.exited).toMatchObject({ code: 0 })
  const worker = workerThat('')
  const daemon = await startDaemon({ script: worker.path, environment, under: gone })
  await daemon.waitForLine('Executed.')
  daemon.signal('SIGTERM')
  expect(await daemon.exited).toMatchObject({ code: 0 })
})

test.for(['2>&-', '<&- >&- 2>&-', '</dev/full >/dev/full 2>/dev/full'])(
  'with %s messages are executed and published all the same',
  async (redirections, { broker, queue, startDaemon }) => {
    const command = ['bash', '-c', `exec "$@" ${redirections}`, 'bash']
    const publisher = await spawnBridge(['publish', '--url', broker.url, '-q', queue, '{"n":1}'], {}, command)
    expect(await publisher.exited).toMatchObject({ code: 0 })
    expect(await takeAll(broker, queue)).toHaveLength(1)
    const worker = workerThat('')
    const daemon = await startDaemon({ script: worker.path, under: command })
    await runBridge(['publish', '--url', broker.url, '-q', queue, '{"n":2}'])
    await expect.poll(() => worker.executions().length, { timeout: 20_000 }).toBe(1)
    daemon.signal('SIGTERM')
    expect(await daemon.exited).toMatchObject({ code: 0 })
  },
)

test.for([
  { option: '--config', from: 'argument', named: (path: string) => `"${path}", which` },
  // Not the path: it may be the URL, in the wrong variable.
  { option: 'FPM_BRIDGE_URL_FILE', from: 'environment', named: () => 'a file that' },
])('exit 78 for a pipe as $option', async ({ option, from, named }) => {
  const pipe = join(temporaryFolder('pipe'), 'pipe')
  execFileSync('mkfifo', [pipe])
  const { code, log } = await runBridge(
    ['run', ...GOOD, ...(from === 'argument' ? [option, pipe] : [])],
    from === 'environment' ? { [option]: pipe } : {},
  )
  expect(code).toBe(78)
  expect(log).toEqual([
    { message: `fpm-bridge: ${option} names ${named(pipe)} is a pipe, a socket or a device` },
  ])
})

test('it speaks one language, whatever that of its user is', async () => {
  const { log } = await runBridge(['run', ...GOOD, '--colour', 'red'], {
    LANG: 'de_DE.UTF-8',
    LC_ALL: 'de_DE.UTF-8',
  })
  expect(log).toEqual([{ message: 'fpm-bridge: Unknown argument: colour; see fpm-bridge --help' }])
})

test('its own files may be removed while it runs: all it does later works without them', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
  const copy = temporaryFolder('program')
  for (const name of ['dist', 'package.json']) cpSync(join(root, name), join(copy, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  const worker = workerThat(`if (isset($_POST['fails'])) http_response_code($attempt === 1 ? 500 : 422);`)
  const args = ['--ack', 'completed', '--retry-delay', '100ms', '--daemon-id', `D-${queue}`]
  const program = ['bash', '-c', `node=$0; shift; exec "$node" ${copy}/dist/main.js "$@"`]
  const daemon = await startDaemon({ script: worker.path, args, under: program })
  await daemon.waitForLine('Consuming.')
  rmSync(copy, { recursive: true })
  await publishAll(broker, queue, [{ fails: true }, 'no JSON'])
  await eventually('both are dead letters', () => count(daemon.log, 'Dead-lettered.') === 2)
  expect(count(daemon.log, 'To be executed again.')).toBe(1)
  await closeConnection(broker, `D-${queue}`)
  await eventually('it consumes again', () => count(daemon.log, 'Consuming.') === 2)
  await publishAll(broker, queue, numbers(3))
  await eventually('all are executed', () => count(daemon.log, 'Executed.') === 3)
  daemon.signal('SIGTERM')
  expect(await daemon.exited).toMatchObject({ code: 0 })
})
