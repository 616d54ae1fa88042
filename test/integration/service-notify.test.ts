import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { type BridgeProcess, spawnBridge } from '../support/bridge-process.ts'
import { eventually } from '../support/eventually.ts'
import { test as base } from '../support/fixtures.ts'
import { installedProgram } from '../support/installed.mjs'
import { numbers, publishAll } from '../support/messages.ts'
import { type NotifySocket, notifySocket } from '../support/notify-socket.ts'
import { childrenOf } from '../support/processes.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { waitForFile, workerThat } from '../support/worker-script.ts'

/* What a service manager is told, by the real systemd-notify, at a socket of the test. Most of the time is spent waiting: so at once. */

const test = base.extend<{
  /** Opens a socket of the test's own: at a path, or of an abstract name. */
  openSocket: (name?: string) => Promise<NotifySocket>
}>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads from the pattern which fixtures this one needs.
  openSocket: async ({}, use) => {
    const sockets: NotifySocket[] = []
    await use(async (name = join(temporaryFolder('notify'), 'socket')) => {
      const socket = await notifySocket(name)
      sockets.push(socket)
      return socket
    })
    for (const socket of sockets) await socket.close()
  },
})

const saying = ({ log }: BridgeProcess, text: string) => log.filter(({ message }) => message.startsWith(text))
const statusOf = ({ told }: NotifySocket) => String(told.findLast((each) => 'STATUS' in each)?.['STATUS'])

/** Milliseconds, less than those after which a daemon is up whatever it waits for. */
const PATIENCE = 9_000

/** Nobody listens there. */
const NO_BROKER = 'amqp://127.0.0.1:1'

test.concurrent('told are the start, a reload, the drain, and how it does meanwhile', async ({
  broker,
  queue,
  sharedPool,
  openSocket,
}) => {
  const manager = await openSocket(`@${queue}`)
  const folder = temporaryFolder('notified')
  const release = join(folder, 'now')
  const worker = workerThat(waitForFile(release))
  const config = join(folder, 'fpm-bridge.yaml')
  writeFileSync(config, `url: ${broker.url}\nqueue: ${queue}\nsocket: ${sharedPool.socket}\nack: completed\n`)
  const args = ['run', '--config', config, '--script', worker.path, '--log-format', 'json']
  const startedAt = performance.now()
  const daemon = await spawnBridge(args, manager.environment)
  try {
    const [ready] = await eventually(
      'it is ready',
      () => manager.all('READY').length > 0 && manager.all('READY'),
    )
    // On a machine on which its patience was over first, it says so without a broker.
    if (Number(ready?.at) - startedAt < PATIENCE)
      expect(ready).toMatchObject({ READY: '1', STATUS: `Consuming: ${queue}; 0 in flight, 0 waiting.` })
    await daemon.waitForLine('Consuming.')
    await publishAll(broker, queue, numbers(5))
    await eventually('the numbers are told', () => statusOf(manager).endsWith('4 in flight, 1 waiting.'))

    daemon.signal('SIGHUP')
    await eventually('it is ready again', () => manager.all('READY').length === 2)
    const [reloading] = manager.all('RELOADING')
    expect(Number(reloading?.['MONOTONIC_USEC'])).toBeGreaterThan(1e6)
    expect(manager.told.indexOf(reloading as never)).toBeLessThan(
      manager.told.indexOf(manager.all('READY')[1] as never),
    )

    daemon.signal('SIGTERM')
    const [stopping] = await eventually(
      'the end is told',
      () => manager.all('STOPPING').length > 0 && manager.all('STOPPING'),
    )
    expect(stopping).toMatchObject({
      EXTEND_TIMEOUT_USEC: '30000000',
      STATUS: expect.stringMatching(/^Draining; 4/),
    })
    await eventually('more time is asked for', () => manager.all('EXTEND_TIMEOUT_USEC').length >= 2)
    writeFileSync(release, '')
    expect(await daemon.exited).toMatchObject({ code: 0 })
    expect([manager.all('READY').length, manager.all('STOPPING').length]).toEqual([2, 1])
    // Without a watchdog nobody has to be told that it lives.
    expect(manager.all('WATCHDOG')).toEqual([])
  } finally {
    await daemon.kill()
  }
})

test.concurrent('the last message is sent before a process without work ends', async ({
  openSocket,
  startDaemon,
}) => {
  const manager = await openSocket()
  const folder = temporaryFolder('slow')
  const slow = `#!/bin/sh\nsleep 0.5\nexec ${installedProgram('systemdNotify')} "$@"\n`
  writeFileSync(join(folder, 'systemd-notify'), slow, { mode: 0o755 })
  const environment = { ...manager.environment, PATH: `${folder}:${process.env['PATH']}` }
  const daemon = await startDaemon({ environment })
  await eventually('it is ready', () => manager.all('READY').length === 1)
  daemon.signal('SIGTERM')
  expect(await daemon.exited).toMatchObject({ code: 0 })
  expect(manager.all('STOPPING')).toHaveLength(1)
})

test.concurrent('a process that does not turn does not feed the watchdog', async ({
  openSocket,
  startDaemon,
}) => {
  const manager = await openSocket()
  const every = 200
  const environment = { ...manager.environment, WATCHDOG_USEC: String(3 * every * 1_000) }
  const daemon = await startDaemon({ environment })
  const beats = () => manager.all('WATCHDOG').length
  await eventually('it lives', () => beats() >= 3)
  daemon.signal('SIGSTOP')
  // What is on its way.
  await sleep(1_000)
  const before = beats()
  await sleep(5 * 3 * every)
  expect(beats()).toBe(before)
  daemon.signal('SIGCONT')
  await eventually('it lives again', () => beats() >= before + 3)
})

test.concurrent('a watchdog that is set on another process is not fed', async ({
  openSocket,
  startDaemon,
}) => {
  const manager = await openSocket()
  const environment = { ...manager.environment, WATCHDOG_USEC: '600000', WATCHDOG_PID: '1' }
  await startDaemon({ environment })
  await eventually('it is ready', () => manager.all('READY').length === 1)
  await sleep(1_500)
  expect(manager.all('WATCHDOG')).toEqual([])
})

test.concurrent('a daemon that waits for a broker is up, and says so', async ({
  openSocket,
  startDaemon,
}) => {
  const manager = await openSocket()
  const startedAt = performance.now()
  await startDaemon({ url: NO_BROKER, environment: manager.environment })
  await eventually('it is up', () => manager.all('READY').length === 1)
  expect(performance.now() - startedAt).toBeGreaterThan(PATIENCE)
  expect(statusOf(manager)).toMatch(/^Without a broker: test-/)
})

test.concurrent('a daemon that cannot start is never ready', async ({ openSocket, startDaemon }) => {
  const manager = await openSocket()
  const daemon = await startDaemon({ args: ['--no-declare'], environment: manager.environment })
  expect(await daemon.exited).toMatchObject({ code: 78 })
  expect(manager.all('READY')).toEqual([])
})

test.concurrent('why nothing is executed is told within seconds', async ({
  broker,
  queue,
  openSocket,
  startDaemon,
}) => {
  const manager = await openSocket()
  const socket = join(temporaryFolder('no-pool'), 'none.sock')
  await startDaemon({ socket, environment: manager.environment })
  await publishAll(broker, queue, numbers(1))
  await eventually('it holds', () => statusOf(manager).startsWith(`Held: ${queue} (`))
  expect(statusOf(manager)).toContain('none.sock')
})

test.concurrent('a fleet is ready when all consume; its processes have nothing of it', async ({
  openSocket,
  startDaemon,
}) => {
  const manager = await openSocket()
  const startedAt = performance.now()
  const fleet = await startDaemon({
    args: ['--instances', '3'],
    environment: { ...manager.environment, WATCHDOG_USEC: '600000' },
  })
  const [ready] = await eventually(
    'it is ready',
    () => manager.all('READY').length === 1 && manager.all('READY'),
  )
  if (Number(ready?.at) - startedAt < PATIENCE) expect(ready?.['STATUS']).toBe('3 of 3 processes consume.')
  // Lines wait a little to be written together.
  await eventually('all consume', () => saying(fleet, 'Consuming.').length === 3)
  await eventually('that is told', () => statusOf(manager) === '3 of 3 processes consume.')
  await eventually('it lives', () => manager.all('WATCHDOG').length >= 3)
  expect(workersOf(fleet)).toHaveLength(3)
  for (const child of workersOf(fleet)) expect(environmentOf(child)).not.toMatch(/NOTIFY_SOCKET|WATCHDOG/)
  const [first = 0] = workersOf(fleet)
  const before = manager.told.length
  process.kill(first, 'SIGKILL')
  await eventually('one less', () =>
    manager.told.slice(before).some((each) => each['STATUS'] === '2 of 3 processes consume.'),
  )
  await eventually('all again', () => statusOf(manager) === '3 of 3 processes consume.')
  fleet.signal('SIGTERM')
  expect(await fleet.exited).toMatchObject({ code: 0 })
  expect(manager.all('STOPPING')).toHaveLength(1)
  expect(manager.all('READY')).toHaveLength(1)
})

test.concurrent('without systemd-notify one line says so, and the work is done', async ({
  broker,
  queue,
  openSocket,
  startDaemon,
}) => {
  const manager = await openSocket()
  const environment = { ...manager.environment, WATCHDOG_USEC: '600000', PATH: '/nonexistent' }
  const worker = workerThat('')
  const daemon = await startDaemon({ script: worker.path, environment })
  expect(await daemon.waitForLine('there is no systemd-notify')).toMatchObject({ level: 'warn' })
  await publishAll(broker, queue, numbers(2))
  await eventually('they are executed', () => worker.executions().length === 2)
  await sleep(1_500)
  expect(saying(daemon, 'The service manager')).toHaveLength(1)
  daemon.signal('SIGTERM')
  expect(await daemon.exited).toMatchObject({ code: 0 })
  expect(manager.told).toEqual([])
})

test.concurrent('what does not get through is told later; the log says it once', async ({
  openSocket,
  startDaemon,
}) => {
  const path = join(temporaryFolder('notify'), 'socket')
  const environment = { NOTIFY_SOCKET: path }
  const daemon = await startDaemon({ environment })
  const line = await daemon.waitForLine('The service manager is not told')
  expect(line).toMatchObject({ level: 'warn', reason: expect.stringContaining('No such file') })
  await sleep(6_000)
  const manager = await openSocket(path)
  await eventually('it is told', () => manager.all('READY').length === 1)
  await daemon.waitForLine('The service manager is told again')
  expect(saying(daemon, 'The service manager is not told')).toHaveLength(1)
})

test.concurrent('a systemd-notify that hangs holds up neither the work nor the end', async ({
  startDaemon,
}) => {
  const folder = temporaryFolder('hanging')
  mkdirSync(join(folder, 'bin'))
  writeFileSync(join(folder, 'bin', 'systemd-notify'), '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 })
  symlinkSync('/bin/sleep', join(folder, 'bin', 'sleep'))
  const environment = { NOTIFY_SOCKET: join(folder, 'socket'), PATH: join(folder, 'bin') }
  const daemon = await startDaemon({ environment })
  await daemon.waitForLine('Consuming.')
  const startedAt = performance.now()
  daemon.signal('SIGTERM')
  expect(await daemon.exited).toMatchObject({ code: 0 })
  expect(performance.now() - startedAt).toBeLessThan(8_000)
  rmSync(folder, { recursive: true })
})

/** The processes of a fleet: not those of systemd-notify, which come and go. */
function workersOf({ pid }: BridgeProcess): number[] {
  return childrenOf(pid).filter((child) => environmentOf(child).includes('FPM_BRIDGE_CHILD_ID='))
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8')
  } catch {
    return '' // ended since
  }
}
