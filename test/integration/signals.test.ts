import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type BridgeProcess, leaveAtOnce, spawnBridge } from '../support/bridge-process.ts'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { startFaultProxy } from '../support/fault-proxy.ts'
import { test } from '../support/fixtures.ts'
import { numbers, publishAll } from '../support/messages.ts'
import { freePorts } from '../support/ports.ts'
import { countsOf, expectCounts } from '../support/queue-counts.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { waitForFile, workerThat } from '../support/worker-script.ts'

/* What real processes make of real signals; which of them mean what is in test/unit/cli. */

test('SIGQUIT, twice, drains as SIGTERM does', async ({ broker, queue, startDaemon }) => {
  const release = join(temporaryFolder('release'), 'now')
  const worker = workerThat(waitForFile(release))
  await publishAll(broker, queue, numbers(5))
  const daemon = await startDaemon({
    script: worker.path,
    args: ['--concurrency', '2', '--ack', 'completed'],
  })
  await eventually('two are executed', () => worker.executions().length === 2)
  daemon.signal('SIGQUIT')
  await daemon.waitForLine('Draining.')
  daemon.signal('SIGQUIT')
  daemon.signal('SIGINT')
  writeFileSync(release, '')

  expect(await daemon.exited).toEqual({ code: 0, signal: null })
  expect(daemon.log.at(-1)).toMatchObject({ message: 'Stopped.' })
  await expectCounts(broker, queue, { ready: 3, unacked: 0 })
})

test.for(['SIGHUP', 'SIGUSR2'] as const)(
  '%s is a line in the log, and changes nothing',
  async (signal, { broker, queue, startDaemon }) => {
    const worker = workerThat('')
    const daemon = await startDaemon({ script: worker.path })
    await daemon.waitForLine('Consuming.')
    daemon.signal(signal)
    expect(await daemon.waitForLine('Ignored a signal')).toMatchObject({ level: 'warn', signal })
    await publishAll(broker, queue, numbers(1))
    await daemon.waitForLine('Executed.')
    daemon.signal('SIGTERM')
    expect(await daemon.exited).toEqual({ code: 0, signal: null })
  },
)

test('SIGUSR1 asks for debug lines, or for none any more, and opens no debugger', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const worker = workerThat('')
  const args = ['--log-messages', 'failures']
  const daemon = await startDaemon({ script: worker.path, args })
  await daemon.waitForLine('Consuming.')
  const executed = async (id: string) => {
    await publishAll(broker, queue, numbers(1), { messageId: id })
    await eventually('it is settled', async () => {
      expect(await countsOf(broker, queue)).toEqual({ ready: 0, unacked: 0 })
      return worker.executions().some((line) => line.startsWith(id))
    })
  }
  await executed('quiet')
  daemon.signal('SIGUSR1')
  await daemon.waitForLine('From now on with lines of level debug')
  expect(listening(daemon)).toBe(0)
  await executed('loud')
  await daemon.waitForLine(({ message, message_id }) => message === 'Executed.' && message_id === 'loud')
  daemon.signal('SIGUSR1')
  await daemon.waitForLine('No more lines of level debug.')
  await executed('quiet again')
  daemon.signal('SIGTERM')
  expect(await daemon.exited).toEqual({ code: 0, signal: null })
  const lines = daemon.log.filter(({ message_id }) => message_id !== undefined)
  expect(lines.map(({ level, message, message_id }) => [level, message, message_id])).toEqual([
    ['debug', 'Dispatched.', 'loud'],
    ['debug', 'Executed.', 'loud'],
  ])
})

test('SIGUSR1 reaches all processes of a fleet', async ({ startDaemon }) => {
  const fleet = await startDaemon({ args: ['--instances', '2'] })
  await eventually('both consume', () => count(fleet.log, 'Consuming.') === 2)
  fleet.signal('SIGUSR1')
  const on = 'From now on with lines of level debug; SIGUSR1 ends them.'
  await eventually('all three say so', () => count(fleet.log, on) === 3)
  fleet.signal('SIGUSR1')
  await eventually('all three say so', () => count(fleet.log, 'No more lines of level debug.') === 3)
  fleet.signal('SIGTERM')
  expect(await fleet.exited).toEqual({ code: 0, signal: null })
})

test.for([0, 5, 20, 50])(
  'SIGUSR1 %i ms after Node.js listens to it opens no debugger; SIGHUP, ignored by whoever starts it, ends nothing',
  async (delay, { startDaemon }) => {
    const [shell, option, command, name] = signalled('USR1', `sleep ${delay / 1_000}`) as [
      string,
      string,
      string,
      string,
    ]
    const daemon = await startDaemon({ under: [shell, option, `trap "" HUP; ${command}`, name] })
    await daemon.waitForLine('Consuming.')
    expect(listening(daemon)).toBe(0)
    daemon.signal('SIGHUP')
    await daemon.waitForLine('Ignored a signal')
  },
)

/**
 * Has a command sent a signal as soon as it listens to SIGUSR1, which Node.js does before it loads anything of ours, or to
 * SIGQUIT, which we do before we load most of it.
 */
function signalled(signal: 'USR1' | 'TERM', andThen = ':'): string[] {
  const bit = signal === 'USR1' ? 0x200 : 0x4
  const listens = `[ $((0x$(sed -n 's/^SigCgt:.//p' /proc/$$/status) & ${bit})) != 0 ]`
  return ['bash', '-c', `(until ${listens}; do :; done; ${andThen}; kill -${signal} $$) & exec "$@"`, 'bash']
}

test.for([
  ['run', 0, ['--socket', '/nowhere/fpm.sock', '--script', '/w.php']],
  ['publish', 75, ['{}']],
] as const)(
  '%s: a signal before it is under way ends it in order',
  async ([command, code, args], { broker }) => {
    const [port] = (await freePorts(1)) as [number]
    // It would wait long for a broker that says nothing.
    const proxy = await startFaultProxy(port, broker.port)
    proxy.silence()
    try {
      const url = `amqp://127.0.0.1:${port}`
      const bridge = await spawnBridge([command, '--url', url, ...args], {}, signalled('TERM'))
      expect(await bridge.exited).toEqual({ code, signal: null })
    } finally {
      await proxy.close()
    }
  },
)

test('publish: what is sent is waited for; with a second signal it is not', async ({ broker, queue }) => {
  const [port] = (await freePorts(1)) as [number]
  const proxy = await startFaultProxy(port, broker.port)
  try {
    const args = ['--queue', queue, '--count', '100000', '--body', '{}', '--verbose']
    const bridge = await spawnBridge(['publish', '--url', `amqp://127.0.0.1:${port}`, ...args])
    await eventually('some are published', () => bridge.stdout.length > 0)
    proxy.freeze()
    bridge.signal('SIGQUIT')
    await bridge.waitForLine('nothing more is sent')
    await leaveAtOnce(bridge)
    expect(await bridge.exited).toEqual({ code: 75, signal: null })
    expect(bridge.log.at(-1)?.message).toContain('SIGTERM again: leaving at once')
  } finally {
    await proxy.close()
  }
})

/** How many TCP ports a process listens on. */
function listening({ pid }: BridgeProcess): number {
  const sockets = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1]
    } catch {
      return undefined // closed since
    }
  })
  // proc(5): the fourth field is the state, 0A for LISTEN, the tenth the inode.
  const lines = ['tcp', 'tcp6'].flatMap((name) =>
    readFileSync(`/proc/${pid}/net/${name}`, 'utf8').split('\n'),
  )
  return lines.map((line) => line.trim().split(/\s+/)).filter((f) => f[3] === '0A' && sockets.includes(f[9]))
    .length
}
