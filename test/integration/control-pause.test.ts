import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { ask, scrape } from '../support/admin.ts'
import { spawnBridge } from '../support/bridge-process.ts'
import { BridgesFile } from '../support/bridges-file.ts'
import { closeConnections } from '../support/broker-connections.ts'
import { type Commander, startCommander } from '../support/commander.ts'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test as base, type Fixtures } from '../support/fixtures.ts'
import { putMarker, removeMarker } from '../support/marker.ts'
import { numbers, publishAll } from '../support/messages.ts'
import { countsOf, expectCounts, readyIn } from '../support/queue-counts.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { waitForFile, workerThat } from '../support/worker-script.ts'

/* A queue is paused as long as its marker stands beside it; a daemon is drained until somebody tells it to resume. */

const CONTROL = ['--control', '--ack', 'completed']
const PAUSED = 'Paused. What is in flight goes on; everything else waits in the queue.'
const RESUMED = 'Resumed: the queue is not paused any more.'
const NOTE = { by: 'ops@host', at: '2026-01-02T03:04:05Z', reason: 'a migration' }

const test = base.extend<{ commander: Commander }>({
  commander: async ({ broker }, use) => {
    const commander = await startCommander(broker)
    await use(commander)
    await commander.hangUp()
  },
})

/** In which whoever consumes without leave would have taken something. */
const timeForMore = () => new Promise((resolve) => setTimeout(resolve, 1_000))

/** A worker that is in the middle of a message until it is told to end. */
function slowWorker() {
  const release = join(temporaryFolder('release'), 'now')
  return { worker: workerThat(waitForFile(release)), release: () => writeFileSync(release, '') }
}

test('what is in flight ends, all else goes back at once, and nothing comes until it is over', async ({
  broker,
  queue,
  startDaemon,
  commander,
}) => {
  const { worker, release } = slowWorker()
  const socket = join(temporaryFolder('admin'), 'admin.sock')
  const args = [...CONTROL, '--concurrency', '2', '--prefetch', '6', '--admin', socket]
  const daemon = await startDaemon({ script: worker.path, args })
  await publishAll(broker, queue, numbers(10))
  await eventually('two are in flight', () => worker.executions().length === 2)
  await putMarker(broker, queue, NOTE)
  const report = await commander.ask('pause', { queue })
  expect(report.error).toBeUndefined()
  expect(report.bridges).toMatchObject([
    { state: 'paused', session: 'up', in_flight: 2, waiting: 0, pause: NOTE },
  ])
  await expectCounts(broker, queue, { ready: 8, unacked: 2 })
  expect(await daemon.waitForLine(PAUSED)).toMatchObject({ level: 'warn', ...NOTE })

  expect((await ask(socket, '/readyz')).status).toBe(200)
  expect(JSON.parse((await ask(socket, '/status')).body).bridges).toMatchObject([
    { paused: true, drained: false, pause: NOTE },
  ])
  expect((await scrape(socket)).get(`fpm_bridge_paused{queue="${queue}"}`)).toBe(1)

  release()
  await eventually('both are settled', () => count(daemon.log, 'Executed.') === 2)
  await timeForMore()
  await expectCounts(broker, queue, { ready: 8, unacked: 0 })
  expect(worker.executions()).toHaveLength(2)

  // Its marker stands there yet.
  expect(await commander.ask('resume', { queue })).toMatchObject({ bridges: [{ state: 'paused' }] })
  await removeMarker(broker, queue)
  expect(await commander.ask('resume', { queue })).toMatchObject({ bridges: [{ state: 'running' }] })
  await eventually('the rest is executed', () => count(daemon.log, 'Executed.') === 10)
  expect([count(daemon.log, PAUSED), count(daemon.log, RESUMED)]).toEqual([1, 1])
  expect((await scrape(socket)).get(`fpm_bridge_paused{queue="${queue}"}`)).toBe(0)
})

test('a marker that was there before has a daemon start paused; taken away by hand it is over', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const worker = workerThat('')
  await publishAll(broker, queue, numbers(3))
  await putMarker(broker, queue)
  const daemon = await startDaemon({ script: worker.path, args: CONTROL })
  await daemon.waitForLine(PAUSED)
  await timeForMore()
  expect([worker.executions().length, count(daemon.log, 'Consuming.')]).toEqual([0, 0])
  await expectCounts(broker, queue, { ready: 3, unacked: 0 })
  await removeMarker(broker, queue)
  await daemon.waitForLine(RESUMED)
  await eventually('all are executed', () => worker.executions().length === 3)
  expect(count(daemon.log, 'Consuming.')).toBe(1)
})

test('ends by itself when its time is over, and takes its marker away', async ({
  broker,
  queue,
  startDaemon,
  commander,
}) => {
  const daemon = await startDaemon({ args: CONTROL })
  await daemon.waitForLine('Listening for commands.')
  await daemon.waitForLine('Consuming.')
  const until = Date.now() + 8_000
  await putMarker(broker, queue, { ...NOTE, until: new Date(until).toISOString() })
  await commander.ask('pause', { queue })
  expect(await daemon.waitForLine(PAUSED)).toMatchObject({ until: new Date(until).toISOString() })
  await publishAll(broker, queue, numbers(1))
  await daemon.waitForLine('Executed.')
  expect(Date.now()).toBeGreaterThanOrEqual(until)
  expect(count(daemon.log, RESUMED)).toBe(1)
  await eventually('it has gone', async () => (await countsOf(broker, `${queue}.paused`)) === undefined)
})

test('garbage in a marker is no reason, and pauses all the same', async ({ broker, queue, startDaemon }) => {
  await putMarker(broker, queue, '{"reason": ["x"], "until": 7')
  const daemon = await startDaemon({ args: CONTROL })
  const line = await daemon.waitForLine(PAUSED)
  expect([line['by'], line['reason'], line['until']]).toEqual([undefined, undefined, undefined])
  daemon.signal('SIGTERM')
  expect(await daemon.exited).toMatchObject({ code: 0 })
})

test('a marker that is a stream, which nobody can read, pauses all the same, for one session', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const marker = `/queues/%2F/${queue}.paused`
  await broker.api('PUT', marker, { durable: true, arguments: { 'x-queue-type': 'stream' } })
  const daemon = await startDaemon({ args: CONTROL })
  await daemon.waitForLine(PAUSED)
  await new Promise((resolve) => setTimeout(resolve, 5_000))
  expect(count(daemon.log, 'The session with the broker has ended')).toBeLessThanOrEqual(1)
  await broker.api('DELETE', marker)
  await daemon.waitForLine('Consuming.')
})

describe('a user that may not', () => {
  const NO_MARKER = '^(?!.*\\.paused$)'
  const startAs = async (
    { broker, queue, startDaemon }: Pick<Fixtures, 'broker' | 'queue' | 'startDaemon'>,
    permissions: { readonly configure: string; readonly read: string },
  ) => {
    await broker.api('PUT', `/users/${queue}`, { password: 's3cret', tags: '' })
    await broker.api('PUT', `/permissions/%2F/${queue}`, { write: '.*', ...permissions })
    return startDaemon({ url: broker.url.replace('guest:guest', `${queue}:s3cret`), args: CONTROL })
  }

  test('read the marker is paused by it', async ({ broker, queue, startDaemon }) => {
    await putMarker(broker, queue, NOTE)
    try {
      const daemon = await startAs({ broker, queue, startDaemon }, { configure: '.*', read: NO_MARKER })
      expect((await daemon.waitForLine(PAUSED))['by']).toBeUndefined()
      await removeMarker(broker, queue)
      await daemon.waitForLine(RESUMED)
    } finally {
      await broker.api('DELETE', `/users/${queue}`)
    }
  })

  test('take the marker away goes by what it says, and says so', async ({ broker, queue, startDaemon }) => {
    await putMarker(broker, queue, { ...NOTE, until: '2026-01-02T03:04:05Z' })
    try {
      const daemon = await startAs({ broker, queue, startDaemon }, { configure: NO_MARKER, read: '.*' })
      await daemon.waitForLine('Consuming.')
      const { reason } = await daemon.waitForLine('Cannot look for the marker of a pause, or take it away')
      expect(reason).toMatch(/queue "test-.*\.paused" \(--control\): ACCESS_REFUSED.*set_permissions/s)
      expect([count(daemon.log, PAUSED), await readyIn(broker, `${queue}.paused`)]).toEqual([0, 1])
    } finally {
      await broker.api('DELETE', `/users/${queue}`)
    }
  })
})

test('without --control a marker is a queue like any other', async ({ broker, queue, startDaemon }) => {
  await publishAll(broker, queue, numbers(1))
  await putMarker(broker, queue, NOTE)
  const daemon = await startDaemon({ args: ['--ack', 'completed'] })
  await daemon.waitForLine('Executed.')
})

test('a session that ends while paused is followed by one that does not consume', async ({
  broker,
  queue,
  startDaemon,
  commander,
}) => {
  const daemon = await startDaemon({ args: [...CONTROL, '--daemon-id', `D-${queue}`] })
  await daemon.waitForLine('Consuming.')
  await putMarker(broker, queue, NOTE)
  await commander.ask('pause', { queue })
  await publishAll(broker, queue, numbers(2))
  await closeConnections(broker, `D-${queue}`, 2)
  await daemon.waitForLine('The session with the broker has ended')
  await eventually('there is another', async () => {
    const { bridges } = await commander.ask('ping', { queue })
    return bridges[0]?.session === 'up'
  })
  await timeForMore()
  await expectCounts(broker, queue, { ready: 2, unacked: 0 })
  await removeMarker(broker, queue)
  await eventually('both are executed', () => count(daemon.log, 'Executed.') === 2)
  expect(count(daemon.log, PAUSED)).toBe(1)
})

test('drain settles what is in flight, and the daemon stays idle until it is told to resume', async ({
  broker,
  queue,
  startDaemon,
  commander,
}) => {
  const { worker, release } = slowWorker()
  const daemon = await startDaemon({ script: worker.path, args: [...CONTROL, '--concurrency', '1'] })
  await publishAll(broker, queue, numbers(3))
  await eventually('one is in flight', () => worker.executions().length === 1)
  expect(await commander.ask('drain', { queue })).toMatchObject({
    bridges: [{ state: 'draining', in_flight: 1 }],
  })
  release()
  await eventually('it has drained', async () => {
    const { bridges } = await commander.ask('ping', { queue })
    return bridges[0]?.state === 'drained'
  })
  await timeForMore()
  await expectCounts(broker, queue, { ready: 2, unacked: 0 })
  expect(worker.executions()).toHaveLength(1)
  expect(await commander.ask('resume', { queue })).toMatchObject({ bridges: [{ state: 'running' }] })
  await eventually('the rest is executed', () => worker.executions().length === 3)
  await commander.ask('drain', { queue })
  daemon.signal('SIGTERM')
  expect(await daemon.exited).toMatchObject({ code: 0 })
})

test('a reload leaves what is drained as it is, and a new bridge of a paused queue begins paused', async ({
  broker,
  queue,
  sharedPool,
  commander,
}) => {
  const worker = workerThat('')
  const common = {
    url: broker.url,
    socket: sharedPool.socket,
    script: worker.path,
    'log-format': 'json',
    control: true,
  }
  const [a, b] = [`${queue}.a`, `${queue}.b`]
  const file = new BridgesFile(common, [{ queue: a }])
  const daemon = await spawnBridge(['--config', file.path])
  try {
    await daemon.waitForLine('Consuming.')
    await commander.ask('drain', { queue: a })
    await putMarker(broker, b, NOTE)
    file.write([{ queue: a, concurrency: 2 }, { queue: b }])
    const reloaded = await commander.ask('reload', { queue: a })
    expect(reloaded.error).toBeUndefined()
    await daemon.waitForLine('Reloaded.')
    await publishAll(broker, a, numbers(2))
    await publishAll(broker, b, numbers(2))
    const stateOf = async (of: string) => (await commander.ask('ping', { queue: of })).bridges.at(-1)?.state
    await eventually(
      'both rest',
      async () => (await stateOf(a)) === 'drained' && (await stateOf(b)) === 'paused',
    )
    expect((await commander.ask('ping', { queue: a })).bridges).toMatchObject([{ concurrency: 2 }])
    expect(worker.executions()).toEqual([])
    await commander.ask('resume', { queue: a })
    await removeMarker(broker, b)
    await eventually('all are executed', () => worker.executions().length === 4)
    file.writeText('bridges: 7')
    expect((await commander.ask('reload', { queue: a })).error).toMatch(/bridges/)
  } finally {
    await daemon.kill()
  }
})
