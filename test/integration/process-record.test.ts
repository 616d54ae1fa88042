import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import type { ProcessRecord } from '../../src/daemon/process-record.ts'
import { spawnBridge } from '../support/bridge-process.ts'
import { test } from '../support/fixtures.ts'
import { numbers, publishAll } from '../support/messages.ts'
import { expectCounts } from '../support/queue-counts.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { waitForFile, workerThat } from '../support/worker-script.ts'

/* What a process leaves behind when it ends, and ends by itself. */

const RECORD = 'The record of this process.'
const recordsIn = (path: string): ProcessRecord[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ProcessRecord)

describe('a process that is alone', () => {
  test('leaves a record, in the log and in --record-file', async ({ broker, queue, startDaemon }) => {
    const path = join(temporaryFolder('records'), 'records.jsonl')
    await publishAll(broker, queue, numbers(3))
    for (const id of ['D-first', 'D-second']) {
      const daemon = await startDaemon({
        script: workerThat('usleep(2000);').path,
        args: ['--ack', 'completed', '--record-file', path, '--daemon-id', id],
      })
      await daemon.waitForLine(id === 'D-first' ? 'Executed.' : 'Consuming.')
      daemon.signal('SIGTERM')
      expect(await daemon.exited).toMatchObject({ code: 0 })
      const line = daemon.log.find(({ message }) => message === RECORD)
      expect(line).toMatchObject({ level: 'info', daemon_id: id, pid: daemon.pid, reason: 'SIGTERM' })
      expect(line).toMatchObject(recordsIn(path).at(-1) ?? {})
    }
    const [first, second] = recordsIn(path)
    const executed = (first?.messages.executed ?? 0) + (second?.messages.executed ?? 0)
    await expectCounts(broker, queue, { ready: 3 - executed, unacked: 0 })
    expect(first).toMatchObject({ daemon_id: 'D-first', queues: [queue], messages: { lost: 0 } })
    expect(first?.execution.p50).toBeGreaterThanOrEqual(2)
    expect(first?.memory.peak).toBeGreaterThanOrEqual(first?.memory.start ?? 0)
  })

  test('ends after --max-messages and 20 to 50 more, when what it has is settled', async ({
    broker,
    queue,
    startDaemon,
  }) => {
    const path = join(temporaryFolder('records'), 'records.jsonl')
    await publishAll(broker, queue, numbers(200))
    const daemon = await startDaemon({
      script: workerThat('').path,
      args: ['--ack', 'completed', '--max-messages', '50', '--record-file', path, '--drain-timeout', '0'],
    })
    expect(await daemon.exited).toMatchObject({ code: 0 })
    const [record] = recordsIn(path)
    expect(record?.reason).toBe('max-messages')
    const executed = record?.messages.executed ?? 0
    expect(executed).toBeGreaterThanOrEqual(70)
    // What it had in its hands when the last of them was settled is settled, too.
    expect(executed).toBeLessThanOrEqual(100 + 4)
    await expectCounts(broker, queue, { ready: 200 - executed, unacked: 0 })
  })

  test('that waits for its last message drains within the limit once it is told to', async ({
    broker,
    queue,
    startDaemon,
  }) => {
    const release = join(temporaryFolder('release'), 'now')
    const worker = workerThat(`if ($_POST['number'] == 1) { ${waitForFile(release)} }`)
    await publishAll(broker, queue, numbers(100))
    const daemon = await startDaemon({
      script: worker.path,
      args: ['--ack', 'completed', '--max-messages', '1', '--drain-timeout', '500ms'],
    })
    await daemon.waitForLine('This process has done its share.')
    daemon.signal('SIGTERM')
    expect(await daemon.exited).toMatchObject({ code: 75 })
    writeFileSync(release, '')
    expect(daemon.log.find(({ message }) => message === RECORD)).toMatchObject({ reason: 'max-messages' })
  })

  test('ends when its memory passes --max-memory', async ({ broker, queue, startDaemon }) => {
    await publishAll(
      broker,
      queue,
      Array.from({ length: 4 }, () => Buffer.alloc(60 * 1024 ** 2, '1')),
    )
    const daemon = await startDaemon({
      script: workerThat('sleep(2);').path,
      args: ['--ack', 'completed', '--payload', 'raw', '--max-memory', '160MiB'],
    })
    expect(await daemon.exited).toMatchObject({ code: 0 })
    const record = daemon.log.find(({ message }) => message === RECORD) as unknown as ProcessRecord
    expect(record).toMatchObject({ reason: 'max-memory' })
    expect(record.memory.peak).toBeGreaterThan(160 * 1024 ** 2)
  })

  test('leaves one, too, when the broker refuses it', async ({ queue, startDaemon }) => {
    const daemon = await startDaemon({ args: ['--no-declare'] })
    expect(await daemon.exited).toMatchObject({ code: 78 })
    expect(daemon.log.find(({ message }) => message === RECORD)).toMatchObject({
      reason: 'refused',
      queues: [queue],
    })
  })
})

test('a folder that is missing is said at the start', async ({ queue, broker, sharedPool }) => {
  const path = join(temporaryFolder('records'), 'missing', 'records.jsonl')
  const where = ['--url', broker.url, '--queue', queue, '--socket', sharedPool.socket]
  const bridge = await spawnBridge(['run', ...where, '--script', '/srv/worker.php', '--record-file', path])
  expect(await bridge.exited).toMatchObject({ code: 78 })
  expect(bridge.log.map(({ message }) => message)).toEqual([expect.stringContaining('there is no folder')])
  expect(existsSync(path)).toBe(false)
})

test('a file that fails costs a warning', async ({ startDaemon }) => {
  const daemon = await startDaemon({ args: ['--record-file', '/dev/full'] })
  await daemon.waitForLine('Consuming.')
  daemon.signal('SIGTERM')
  expect(await daemon.exited).toMatchObject({ code: 0 })
  expect(daemon.log.filter(({ level }) => level === 'warn')).toMatchObject([
    { message: expect.stringContaining('--record-file'), file: '/dev/full' },
  ])
})
