import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { DaemonReport } from '../../src/control/protocol.ts'
import { type BridgeProcess, runBridge, spawnBridge } from '../support/bridge-process.ts'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test as base } from '../support/fixtures.ts'
import { numbers, publishAll } from '../support/messages.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { waitForFile, workerThat } from '../support/worker-script.ts'

/* What operators type, against real daemons. */

const CONTROL = ['--control', '--ack', 'completed']
const LISTENING = 'Listening for commands.'

const test = base.extend<{ tell: (command: string, ...args: string[]) => ReturnType<typeof runBridge> }>({
  tell: async ({ broker }, use) => {
    await use((command, ...args) => runBridge([command, '--url', broker.url, ...args]))
  },
})

const said = ({ log }: { log: readonly { message: string }[] }) => log.map(({ message }) => message)

async function reports(told: Awaited<ReturnType<typeof runBridge>>): Promise<DaemonReport[]> {
  return told.stdout.map((line) => JSON.parse(line) as DaemonReport)
}

test('ps lists the daemons of a queue, and counts consumers that do not answer', async ({
  queue,
  startDaemon,
  tell,
}) => {
  const daemons: BridgeProcess[] = []
  for (const id of ['one', 'two'])
    daemons.push(await startDaemon({ args: [...CONTROL, '--daemon-id', `${queue}-${id}`] }))
  await Promise.all(daemons.map((daemon) => daemon.waitForLine(LISTENING)))
  await Promise.all(daemons.map((daemon) => daemon.waitForLine('Consuming.')))
  const silent = await startDaemon({ args: ['--ack', 'completed', '--daemon-id', `${queue}-silent`] })
  await silent.waitForLine('Consuming.')

  const table = await tell('ps', '--queue', queue)
  expect(table.code).toBe(0)
  const [head, one, two, ...others] = table.stdout
  expect(head).toMatch(/^DAEMON +QUEUE +STATE +BUSY/)
  expect(one).toMatch(new RegExp(`^${queue}-one +${queue} +running +0/\\d`))
  expect(two).toMatch(new RegExp(`^${queue}-two +${queue} +running +0/\\d`))
  expect(others).toEqual([])
  expect(said(table)).toEqual([expect.stringContaining('1 more consumer, which did not answer')])

  const json = await reports(await tell('ps', '--queue', queue, '--json'))
  expect(json.map(({ daemon_id, pid }) => [daemon_id, pid])).toEqual([
    [`${queue}-one`, daemons[0]?.pid],
    [`${queue}-two`, daemons[1]?.pid],
  ])

  // Those that are paused have no consumer; the one that goes on has.
  expect(await tell('pause', '--queue', queue)).toMatchObject({
    code: 0,
    stdout: [expect.stringContaining('2 daemons took notice')],
    log: [{ message: expect.stringContaining('1 more consumer, which did not answer') }],
  })
  expect(said(await tell('ps', '--queue', queue))).toEqual([expect.stringContaining('1 more consumer')])
})

test('ps says so where nobody answers', async ({ queue, tell }) => {
  expect(await tell('ps', '--queue', queue)).toMatchObject({
    code: 69,
    log: [{ message: expect.stringContaining('no daemon answers') }],
  })
})

test('pause and resume', async ({ broker, queue, startDaemon, tell }) => {
  const worker = workerThat('')
  const daemon = await startDaemon({ script: worker.path, args: CONTROL })
  await daemon.waitForLine(LISTENING)
  await daemon.waitForLine('Consuming.')
  const paused = await tell('pause', '--queue', queue, '--reason', 'a migration', '--for', '1h')
  expect(paused).toMatchObject({
    code: 0,
    log: [],
    stdout: [expect.stringMatching(/is paused until 20.*: 1 daemon took notice$/)],
  })
  expect(await daemon.waitForLine('Paused.')).toMatchObject({ reason: 'a migration', level: 'warn' })
  await publishAll(broker, queue, numbers(3))

  // Another one replaces what the first one says.
  const again = await tell('pause', '--queue', queue, '--reason', 'another', '--json')
  expect(again.code).toBe(0)
  expect(await reports(again)).toMatchObject([
    { bridges: [{ state: 'paused', pause: { reason: 'another' } }] },
  ])
  const [report] = await reports(await tell('ps', '--queue', queue, '--json'))
  expect(report?.bridges[0]).toMatchObject({ state: 'paused', pause: { reason: 'another' } })
  expect(report?.bridges[0]?.pause?.until).toBeUndefined()
  const table = await tell('ps', '--queue', queue)
  expect(table.stdout[1]).toMatch(/ paused .* by \S+@\S+, another$/)
  expect(worker.executions()).toEqual([])

  expect(await tell('resume', '--queue', queue)).toMatchObject({
    code: 0,
    stdout: [expect.stringContaining('is not paused any more'), '1 daemon took notice'],
  })
  await eventually('all are executed', () => count(daemon.log, 'Executed.') === 3)
  expect(await tell('resume', '--queue', queue)).toMatchObject({
    code: 0,
    stdout: [expect.stringContaining('was not paused'), '1 daemon took notice'],
  })
})

test('a pause of two operators at once has the note of one of them, whole', async ({
  broker,
  queue,
  startDaemon,
  tell,
}) => {
  const daemon = await startDaemon({ args: CONTROL })
  await daemon.waitForLine('Consuming.')
  await daemon.waitForLine(LISTENING)
  const both = await Promise.all(
    ['one', 'two'].map((reason) => tell('pause', '-q', queue, '--reason', reason)),
  )
  expect(both.map(({ code }) => code)).toEqual([0, 0])
  const { messages } = await eventually('the marker has its note', async () => {
    const marker = await broker.api<{ messages?: number }>('GET', `/queues/%2F/${queue}.paused`)
    return marker.messages !== undefined && marker.messages > 0 && marker
  })
  expect(messages).toBeLessThanOrEqual(2)
  const [report] = await reports(await tell('ps', '-q', queue, '--json'))
  expect(report?.bridges[0]?.pause?.reason).toMatch(/^(one|two)$/)
  expect((await tell('resume', '-q', queue)).code).toBe(0)
})

test('pause refuses a queue that is not there, or is not named', async ({ queue, tell }) => {
  expect(await tell('pause', '--queue', `${queue}.missing`)).toMatchObject({
    code: 78,
    log: [{ message: expect.stringContaining(`no queue "${queue}.missing"`) }],
  })
  expect(await tell('pause')).toMatchObject({
    code: 64,
    log: [{ message: expect.stringContaining('--queue is required') }],
  })
})

test('drain --wait waits for what is in flight; resume has the daemon go on', async ({
  broker,
  queue,
  startDaemon,
  tell,
}) => {
  const release = join(temporaryFolder('release'), 'now')
  const worker = workerThat(waitForFile(release))
  const args = [...CONTROL, '--concurrency', '1', '--prefetch', '1', '--daemon-id', queue]
  const daemon = await startDaemon({ script: worker.path, args })
  await daemon.waitForLine(LISTENING)
  await publishAll(broker, queue, numbers(3))
  await eventually('one is being executed', () => worker.executions().length === 1)
  expect(await tell('drain', '--daemon', queue, '--wait', '--wait-timeout', '500ms')).toMatchObject({
    code: 75,
    stdout: ['1 daemon told to drain; 1 in flight'],
    log: [{ message: expect.stringContaining(`not drained in time: ${queue}`) }],
  })
  const waiting = tell('drain', '--daemon', queue, '--wait')
  writeFileSync(release, '')
  expect(await waiting).toMatchObject({ code: 0, stdout: [expect.anything(), '1 daemon drained'] })
  expect(worker.executions()).toHaveLength(1)
  expect(daemon.exit).toBeUndefined()
  const json = await tell('drain', '--daemon', queue, '--wait', '--json')
  expect(await reports(json)).toMatchObject([{ daemon_id: queue, bridges: [{ state: 'drained' }] }])
  expect(said(json).at(-1)).toContain('1 daemon drained')

  expect(await tell('resume', '--daemon', queue)).toMatchObject({ code: 0, stdout: ['1 daemon took notice'] })
  await eventually('the others are executed', () => worker.executions().length === 3)
})

test('drain --wait does not take a daemon that is killed for one that has drained', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const release = join(temporaryFolder('release'), 'now')
  const worker = workerThat(waitForFile(release))
  const daemon = await startDaemon({ script: worker.path, args: CONTROL })
  await daemon.waitForLine(LISTENING)
  await publishAll(broker, queue, numbers(1))
  await eventually('it is being executed', () => worker.executions().length === 1)
  const waiting = await spawnBridge(['drain', '--url', broker.url, '--queue', queue, '--wait'])
  await eventually('it has answered', () => waiting.stdout.length === 1)
  await daemon.kill()
  expect(await waiting.exited).toMatchObject({ code: 75 })
  expect(said(waiting)).toEqual([expect.stringContaining('gone before it said that it had drained')])
  writeFileSync(release, '')
})

test('reload says why a daemon has not', async ({ queue, startDaemon, tell }) => {
  const daemon = await startDaemon({ args: [...CONTROL, '--daemon-id', queue] })
  await daemon.waitForLine(LISTENING)
  expect(await tell('reload', '--daemon', queue)).toMatchObject({
    code: 75,
    stdout: ['0 daemons reloaded'],
    log: [{ message: expect.stringContaining('there is no --config to read again') }],
  })
})

test('who may not tell is told which permission is missing', async ({ broker, queue, startDaemon }) => {
  const daemon = await startDaemon({ args: CONTROL })
  await daemon.waitForLine(LISTENING)
  const user = `${queue}-operator`
  await broker.api('PUT', `/users/${user}`, { password: 'p', tags: '' })
  await broker.api('PUT', `/permissions/%2F/${user}`, { configure: '', write: '', read: '.*' })
  try {
    const url = `amqp://${user}:p@127.0.0.1:${broker.port}`
    const { code, log } = await runBridge(['ps', '--url', url])
    expect(code).toBe(78)
    expect(said({ log })).toEqual([expect.stringMatching(/permission to write "fpm-bridge"/)])
    expect(JSON.stringify(log)).not.toContain(':p@')
  } finally {
    await broker.api('DELETE', `/users/${user}`)
  }
})
