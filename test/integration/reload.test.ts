import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type BridgeProcess, spawnBridge } from '../support/bridge-process.ts'
import { type BridgeEntry, BridgesFile } from '../support/bridges-file.ts'
import { closeConnection } from '../support/broker-connections.ts'
import { eventually } from '../support/eventually.ts'
import { test as base } from '../support/fixtures.ts'
import { numbers, publishAll } from '../support/messages.ts'
import { expectCounts } from '../support/queue-counts.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { waitForFile, workerThat } from '../support/worker-script.ts'

/* One daemon with several bridges, and what SIGHUP makes of a file that is changed. */

interface Fleet {
  readonly daemon: BridgeProcess
  readonly file: BridgesFile
  /** Has the file read again; resolves with the line that says the end of it. */
  reload(bridges: readonly BridgeEntry[], more?: BridgeEntry): Promise<Record<string, unknown>>
}

const test = base.extend<{
  /** Queues of the test's own, deleted at its end. */
  queues: readonly [a: string, b: string]
  /** Starts a daemon with these bridges; their socket and their script are the test's unless they say otherwise. */
  startBridges: (bridges: readonly BridgeEntry[], args?: readonly string[]) => Promise<Fleet>
}>({
  queues: async ({ queue }, use) => {
    await use([`${queue}.a`, `${queue}.b`])
  },
  startBridges: async ({ broker, sharedPool }, use) => {
    const daemons: BridgeProcess[] = []
    await use(async (bridges, args = []) => {
      const file = new BridgesFile(
        { url: broker.url, socket: sharedPool.socket, ack: 'completed', 'log-format': 'json' },
        bridges,
      )
      const daemon = await spawnBridge(['--config', file.path, ...args])
      daemons.push(daemon)
      await eventually('all bridges consume', () => count(daemon, 'Consuming.') === bridges.length)
      const reload: Fleet['reload'] = async (next, more) => {
        const before = count(daemon, 'Reloaded.') + count(daemon, 'Not reloaded')
        file.write(next, more)
        daemon.signal('SIGHUP')
        await eventually(
          'it is reloaded',
          () => count(daemon, 'Reloaded.') + count(daemon, 'Not reloaded') > before,
        )
        return daemon.log.findLast(({ message }) => /^(?:Reloaded\.|Not reloaded)/.test(message)) ?? {}
      }
      return { daemon, file, reload }
    })
    for (const daemon of daemons) await daemon.kill()
  },
})

const count = ({ log }: BridgeProcess, text: string): number =>
  log.filter(({ message }) => message.startsWith(text)).length
const idsOf = (worker: { executions(): string[] }): string[] =>
  worker
    .executions()
    .map((line) => line.split(' ')[0] as string)
    .sort()
const messageIds = (prefix: string) => (index: number) => ({ messageId: `${prefix}-${index + 1}` })

test('each bridge has its queue, its script and its name in the log', async ({
  broker,
  queues: [a, b],
  startBridges,
}) => {
  const [forA, forB] = [workerThat(''), workerThat('')]
  const { daemon } = await startBridges([
    { queue: a, name: 'invoices', script: forA.path },
    { queue: b, script: forB.path, concurrency: 2, prefetch: 3 },
  ])
  await publishAll(broker, a, numbers(3), messageIds('A'))
  await publishAll(broker, b, numbers(2), messageIds('B'))
  await eventually('all are executed', () => count(daemon, 'Executed.') === 5)
  expect(idsOf(forA)).toEqual(['A-1', 'A-2', 'A-3'])
  expect(idsOf(forB)).toEqual(['B-1', 'B-2'])
  const executed = daemon.log.filter(({ message }) => message === 'Executed.')
  expect(executed.map(({ bridge, message_id: messageId }) => [bridge, messageId]).sort()).toEqual([
    ['invoices', 'A-1'],
    ['invoices', 'A-2'],
    ['invoices', 'A-3'],
    [b, 'B-1'],
    [b, 'B-2'],
  ])
  expect(daemon.log.find(({ message, queue }) => message === 'Consuming.' && queue === b)).toMatchObject({
    prefetch: 3,
  })
  expect(
    daemon.log.find(({ message }) => message === 'Bridges share a pool: their --concurrency adds up.'),
  ).toMatchObject({ bridges: ['invoices', b], concurrency: 6 })
  daemon.signal('SIGTERM')
  expect(await daemon.exited).toMatchObject({ code: 0 })
  expect(daemon.log.at(-1)).toMatchObject({ message: 'Stopped.', executed: 5 })
})

test('SIGHUP starts what is new, drains what is gone, and leaves alone what is the same', async ({
  broker,
  queues: [a, b],
  startBridges,
}) => {
  const release = join(temporaryFolder('release'), 'now')
  const [slow, quick] = [workerThat(waitForFile(release)), workerThat('')]
  const one = { queue: a, script: slow.path }
  const other = { queue: b, script: quick.path }
  const { daemon, reload } = await startBridges([one])
  await publishAll(broker, a, numbers(2), messageIds('A'))
  await eventually('both are being executed', () => slow.executions().length === 2)

  expect(await reload([one, other])).toMatchObject({ message: 'Reloaded.', bridges: [a, b] })
  await publishAll(broker, b, numbers(1), messageIds('B'))
  await eventually('the new one executes', () => quick.executions().length === 1)

  // What is in flight is finished, and the queue is not consumed any more.
  expect(await reload([other])).toMatchObject({ bridges: [b] })
  await publishAll(broker, a, numbers(1), messageIds('late'))
  writeFileSync(release, '')
  await daemon.waitForLine('A bridge has ended.')
  expect(idsOf(slow)).toEqual(['A-1', 'A-2'])
  await expectCounts(broker, a, { ready: 1, unacked: 0 })
  daemon.signal('SIGTERM')
  expect(await daemon.exited).toMatchObject({ code: 0 })
  expect(daemon.log.at(-1)).toMatchObject({ message: 'Stopped.', executed: 3 })
})

test('a bridge that changed is replaced without a moment without a consumer', async ({
  broker,
  queues: [a],
  startBridges,
}) => {
  const release = join(temporaryFolder('release'), 'now')
  const [slow, quick] = [workerThat(waitForFile(release)), workerThat('')]
  const { daemon, reload } = await startBridges([
    { queue: a, script: slow.path, concurrency: 1, prefetch: 1 },
  ])
  await publishAll(broker, a, numbers(1), messageIds('old'))
  await eventually('it is being executed', () => slow.executions().length === 1)

  await reload([{ queue: a, script: quick.path }])
  await publishAll(broker, a, numbers(3), messageIds('new'))
  await eventually('the new script executes', () => quick.executions().length === 3)
  expect(count(daemon, 'A bridge has ended.')).toBe(0)
  writeFileSync(release, '')
  await daemon.waitForLine('A bridge has ended.')
  expect(idsOf(slow)).toEqual(['old-1'])
  expect(idsOf(quick)).toEqual(['new-1', 'new-2', 'new-3'])
  // It consumed before the other one was told to stop.
  const moments = daemon.log.flatMap(({ message }) =>
    ['Consuming.', 'Draining a bridge.'].includes(message) ? [message] : [],
  )
  expect(moments).toEqual(['Consuming.', 'Consuming.', 'Draining a bridge.'])
})

test('a bridge that is replaced settles what it executes, though it is delivered to its successor', async ({
  broker,
  queues: [a],
  startBridges,
}) => {
  const release = join(temporaryFolder('release'), 'now')
  const worker = workerThat(waitForFile(release))
  const one = { queue: a, script: worker.path, concurrency: 1, prefetch: 1 }
  const { daemon, reload } = await startBridges([one], ['--daemon-id', a])
  await publishAll(broker, a, numbers(1), messageIds('A'))
  await eventually('it is being executed', () => worker.executions().length === 1)
  await reload([{ ...one, concurrency: 2, prefetch: 2 }])

  await closeConnection(broker, a)
  expect(await daemon.waitForLine('Delivered again while it is executed')).toMatchObject({
    message_id: 'A-1',
  })
  writeFileSync(release, '')
  await daemon.waitForLine('A bridge has ended.')
  await expectCounts(broker, a, { ready: 0, unacked: 0 })
  expect(idsOf(worker)).toEqual(['A-1'])
  expect(count(daemon, 'Executed.')).toBe(1)
  daemon.signal('SIGTERM')
  expect(await daemon.exited).toMatchObject({ code: 0 })
  expect(daemon.log.at(-1)).toMatchObject({ message: 'Stopped.', executed: 1 })
})

test('a file that is wrong changes nothing, and says why', async ({ broker, queues: [a], startBridges }) => {
  const worker = workerThat('')
  const one = { queue: a, script: worker.path }
  const { daemon, reload } = await startBridges([one])
  const line = await reload([{ ...one, concurrency: 0 }])
  expect(line).toMatchObject({ level: 'error', message: expect.stringMatching(/^Not reloaded/) })
  expect(line['reason']).toContain('bridges[0].concurrency')
  await publishAll(broker, a, numbers(1), messageIds('A'))
  await eventually('it is executed', () => worker.executions().length === 1)
  expect(count(daemon, 'Reloading.')).toBe(0)
})

test('what the broker refuses leaves the former bridge at work', async ({
  broker,
  queues: [a, b],
  startBridges,
}) => {
  const worker = workerThat('')
  const one = { queue: a, script: worker.path }
  const { daemon, reload } = await startBridges([one])
  expect(
    await reload([
      { ...one, 'dead-letter-queue': `${a}.missing`, declare: false },
      { queue: b, script: worker.path, declare: false },
    ]),
  ).toMatchObject({ bridges: [a] })
  expect(await daemon.waitForLine('Cannot change a bridge')).toMatchObject({ level: 'error', bridge: a })
  expect(await daemon.waitForLine('Cannot start a bridge')).toMatchObject({ level: 'error', bridge: b })
  await publishAll(broker, a, numbers(1), messageIds('A'))
  await eventually('it is executed', () => worker.executions().length === 1)
  // Mended, it is taken.
  expect(await reload([{ ...one, concurrency: 2 }])).toMatchObject({ bridges: [a] })
  await daemon.waitForLine('A bridge has ended.')
})

test('what belongs to the process stays until a restart', async ({ queues: [a], startBridges }) => {
  const one = { queue: a, script: workerThat('').path }
  const { daemon, reload } = await startBridges([one])
  await reload([one], { 'log-level': 'debug', 'daemon-id': 'D-other' })
  expect(await daemon.waitForLine('Kept until a restart')).toMatchObject({
    level: 'warn',
    options: ['--daemon-id', '--log-level'],
  })
  expect(count(daemon, 'Draining a bridge.')).toBe(0)
})
