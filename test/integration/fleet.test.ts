import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { type BridgeProcess, leaveAtOnce, spawnBridge } from '../support/bridge-process.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { numbers, publishAll } from '../support/messages.ts'
import { childrenOf, isAlive } from '../support/processes.ts'
import { countsOf, expectCounts } from '../support/queue-counts.ts'
import { groupIsAlive, temporaryFolder } from '../support/run-folder.ts'
import { waitForFile, workerThat } from '../support/worker-script.ts'

/* Several processes under a supervisor (--instances), and what becomes of them. */

const RECORD = 'The record of this process.'
const messageIds = (index: number) => ({ messageId: `M-${index + 1}` })
const COMPLETED = ['--ack', 'completed', '--concurrency', '2']
/** Half more than --concurrency. */
const PREFETCH = 3

const consumersOf = ({ log }: BridgeProcess): string[] => [
  ...new Set(
    log.flatMap(({ message, daemon_id: daemonId }) => (message === 'Consuming.' ? [String(daemonId)] : [])),
  ),
]

async function allConsume(fleet: BridgeProcess, id: string, instances: number): Promise<void> {
  const ids = Array.from({ length: instances }, (_, index) => `${id}-${index + 1}`)
  await eventually('all consume', () => String(consumersOf(fleet).toSorted()) === String(ids))
}

test('has N processes with ids of their own, which drain together', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const fleet = await startDaemon({
    script: workerThat('').path,
    args: [...COMPLETED, '--instances', '3', '--daemon-id', 'F'],
  })
  await allConsume(fleet, 'F', 3)
  expect(childrenOf(fleet.pid)).toHaveLength(3)
  await publishAll(broker, queue, numbers(60))
  await eventually('all are executed', () => fleet.log.filter((l) => l.message === 'Executed.').length === 60)
  fleet.signal('SIGTERM')
  expect(await fleet.exited).toEqual({ code: 0, signal: null })
  expect(fleet.log.at(-1)).toMatchObject({ message: 'The fleet has stopped.', daemon_id: 'F' })
  const records = fleet.log.filter(({ message }) => message === RECORD)
  expect(records.map(({ daemon_id: daemonId, reason }) => `${daemonId} ${reason}`).toSorted()).toEqual(
    ['F-1', 'F-2', 'F-3'].map((id) => `${id} SIGTERM`),
  )
})

test('--instances 1 is one process', async ({ startDaemon }) => {
  const daemon = await startDaemon({ args: ['--instances', '1', '--daemon-id', 'F'] })
  await daemon.waitForLine('Consuming.')
  expect(consumersOf(daemon)).toEqual(['F'])
  expect(childrenOf(daemon.pid)).toEqual([])
})

test('processes killed all at once, and again, are replaced; nothing is lost', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const worker = workerThat('usleep(2000);')
  const count = 1_500
  await publishAll(broker, queue, numbers(count), messageIds)
  const fleet = await startDaemon({
    script: worker.path,
    args: [...COMPLETED, '--instances', '3', '--daemon-id', 'F'],
  })
  await allConsume(fleet, 'F', 3)
  let killed = 0
  for (const _ of [1, 2]) {
    const before = worker.executions().length
    for (const pid of childrenOf(fleet.pid)) {
      process.kill(pid, 'SIGKILL')
      killed += 1
    }
    await eventually('work goes on', () => worker.executions().length > before + 20)
    await eventually('all are back', () => childrenOf(fleet.pid).length === 3)
  }
  await eventually('the queue is empty', async () => (await countsOf(broker, queue))?.ready === 0, {
    within: 90_000,
  })
  fleet.signal('SIGTERM')
  expect(await fleet.exited).toMatchObject({ code: 0 })
  const executions = worker.executions().map((line) => line.split(' ')[0])
  expect(new Set(executions).size).toBe(count)
  // What a process that is killed has unacked may be executed twice.
  expect(executions.length - count).toBeLessThanOrEqual(PREFETCH * killed)
})

test('of a supervisor that is killed no process is left, and what they have is settled', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const release = join(temporaryFolder('release'), 'now')
  const worker = workerThat(waitForFile(release))
  const fleet = await startDaemon({
    script: worker.path,
    args: [...COMPLETED, '--instances', '2', '--daemon-id', 'F'],
  })
  await allConsume(fleet, 'F', 2)
  await publishAll(broker, queue, numbers(4), messageIds)
  await eventually('all are being executed', () => worker.executions().length === 4)
  const children = childrenOf(fleet.pid)
  expect(children).toHaveLength(2)
  process.kill(fleet.pid, 'SIGKILL')
  await eventually('they drain', () => fleet.log.filter((l) => l.message === 'Draining.').length === 2)
  await publishAll(broker, queue, numbers(1), () => ({ messageId: 'later' }))
  writeFileSync(release, '')
  await eventually('they are gone', () => !children.some(isAlive))
  expect(worker.executions()).toHaveLength(4)
  await expectCounts(broker, queue, { ready: 1, unacked: 0 })
  const records = fleet.log.filter(({ message }) => message === RECORD)
  expect(records).toMatchObject([{ reason: 'supervisor-gone' }, { reason: 'supervisor-gone' }])
})

test('of a supervisor that is killed while its processes start none is left either', async ({
  startDaemon,
}) => {
  for (const delay of [0, 100, 200, 300, 400, 600]) {
    const fleet = await startDaemon({ args: ['--instances', '2', '--daemon-id', 'F'] })
    await fleet.waitForLine('Starting a fleet.')
    await sleep(delay)
    process.kill(fleet.pid, 'SIGKILL')
    // The group is of all that it has started.
    await eventually('they are gone', () => !groupIsAlive(fleet.pid))
  }
})

test('recycling loses nothing and repeats nothing; each successor consumes before the former one stops', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const worker = workerThat('usleep(10000);')
  const file = join(temporaryFolder('records'), 'records.jsonl')
  const fleet = await startDaemon({
    script: worker.path,
    args: [
      ...COMPLETED,
      '--instances',
      '2',
      '--daemon-id',
      'F',
      '--max-messages',
      '50',
      '--record-file',
      file,
    ],
  })
  const recycled = () =>
    fleet.log.filter(({ message, reason }) => message === RECORD && reason === 'max-messages').length
  let count = 0
  // One after the other, and not all the time: how many that are for so many messages is up to the machine.
  while (recycled() < 2) {
    await publishAll(broker, queue, numbers(200), (index) => ({ messageId: `M-${count + index + 1}` }))
    count += 200
    await eventually('they are executed', () => worker.executions().length >= count)
  }
  fleet.signal('SIGTERM')
  expect(await fleet.exited).toMatchObject({ code: 0 })
  const executions = worker.executions().map((line) => line.split(' ')[0])
  expect(new Set(executions).size).toBe(count)
  expect(executions).toHaveLength(count)
  const records = fleet.log.filter(({ message }) => message === RECORD)
  expect(readFileSync(file, 'utf8').trimEnd().split('\n')).toHaveLength(records.length)
  // Whenever one is told to drain, another one of its id consumes. Lines of several processes are in the order of their times.
  for (const id of ['F-1', 'F-2']) {
    const moments = fleet.log
      .filter(
        ({ daemon_id: daemonId, message }) =>
          daemonId === id && ['Consuming.', 'Draining.'].includes(message),
      )
      .map(({ time, message }) => `${time} ${message}`)
      .toSorted()
    const drains = moments.filter((moment) => moment.endsWith('Draining.')).length
    let consuming = 0
    let alone = 0
    for (const moment of moments) {
      if (moment.endsWith('Consuming.')) consuming += 1
      else {
        alone += consuming === 1 ? 1 : 0
        consuming -= 1
      }
    }
    expect(drains).toBeGreaterThan(0)
    // The last one, with the fleet; or none, where a successor had just begun.
    expect(alone).toBeLessThanOrEqual(1)
  }
})

test('what is wrong with the configuration ends it with 78, and is said once', async ({ startDaemon }) => {
  const fleet = await startDaemon({ args: ['--instances', '4', '--no-declare'] })
  expect(await fleet.exited).toEqual({ code: 78, signal: null })
  const of = (text: string) => fleet.log.filter(({ message }) => message.startsWith(text))
  expect(of('Cannot start')).toHaveLength(1)
  expect(of('The fleet does not start')).toHaveLength(1)
})

test('the drain is bounded once for all of them; a second signal leaves at once', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const { socket } = await ownPool({ children: 12 })
  const release = join(temporaryFolder('release'), 'now')
  const worker = workerThat(waitForFile(release))
  for (const leaves of [false, true]) {
    const fleet = await startDaemon({
      socket,
      script: worker.path,
      args: [
        ...COMPLETED,
        '--prefetch',
        '2',
        '--instances',
        '2',
        '--drain-timeout',
        leaves ? '10m' : '500ms',
      ],
    })
    const before = worker.executions().length
    await publishAll(broker, queue, numbers(4))
    await eventually('all are being executed', () => worker.executions().length >= before + 4)
    const children = childrenOf(fleet.pid)
    fleet.signal('SIGTERM')
    if (leaves) await leaveAtOnce(fleet)
    expect(await fleet.exited).toEqual({ code: 75, signal: null })
    expect(children.some(isAlive)).toBe(false)
  }
  writeFileSync(release, '')
})

test('two fleets of one id are told so', async ({ queue, startDaemon, broker, sharedPool }) => {
  const args = ['--instances', '2', '--daemon-id', queue]
  const first = await startDaemon({ args })
  await first.waitForLine('Consuming.')
  const where = ['--url', broker.url, '--queue', queue, '--socket', sharedPool.socket]
  const second = await spawnBridge(['run', ...where, '--script', workerThat('').path, ...args])
  try {
    expect(await second.waitForLine('same --daemon-id')).toMatchObject({ level: 'warn' })
  } finally {
    await second.kill()
  }
  expect(first.log.filter(({ message }) => message.includes('same --daemon-id'))).toEqual([])
})
