import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { numbers, publishAll } from '../support/messages.ts'
import { countsOf, expectCounts } from '../support/queue-counts.ts'
import { mostAtOnce, readRecords, recordScript } from '../support/records.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { executionsBy, readWorkerLog } from '../support/worker-log.ts'
import { waitForFile, workerThat } from '../support/worker-script.ts'

const emptied = { ready: 0, unacked: 0 }

test('a message becomes $_POST with the daemon id, and params that describe it', async ({
  broker,
  queue,
  sharedPool,
  startDaemon,
}) => {
  await publishAll(broker, queue, ['{"number":"7","nested":{"list":[1,null,true]}}'], {
    messageId: 'M-1',
    correlationId: 'C-1',
    type: 'greeting',
    timestamp: 1_700_000_000,
    headers: { PHP_ADMIN_VALUE: 'auto_prepend_file=/etc/passwd', 'x-tries': 2 },
  })
  const daemon = await startDaemon({ script: recordScript, args: ['--daemon-id', `D-${queue}`] })
  const executed = await daemon.waitForLine('Executed.')

  const [record] = readRecords(sharedPool.workerLog, queue)
  expect(record?.post).toEqual({ number: '7', nested: { list: { 0: '1', 2: '1' } }, daemonId: `D-${queue}` })
  expect(record?.params).toMatchObject({
    REQUEST_METHOD: 'POST',
    CONTENT_TYPE: 'application/x-www-form-urlencoded',
    SCRIPT_FILENAME: recordScript,
    SCRIPT_NAME: '/record.php',
    AMQP_DAEMON_ID: `D-${queue}`,
    AMQP_CONSUMER_TAG: `D-${queue}`,
    AMQP_QUEUE: queue,
    AMQP_EXCHANGE: '',
    AMQP_ROUTING_KEY: queue,
    AMQP_REDELIVERED: '0',
    AMQP_MESSAGE_ID: 'M-1',
    AMQP_CORRELATION_ID: 'C-1',
    AMQP_TYPE: 'greeting',
    AMQP_TIMESTAMP: '1700000000',
    AMQP_DELIVERY_MODE: '2',
    AMQP_EXECUTION_ID: executed['execution_id'],
  })
  expect(record?.params).not.toHaveProperty('PHP_ADMIN_VALUE')
  expect(JSON.parse(record?.params['AMQP_HEADERS'] ?? '')).toEqual({
    PHP_ADMIN_VALUE: 'auto_prepend_file=/etc/passwd',
    'x-tries': 2,
  })
  expect(executed).toMatchObject({
    level: 'info',
    daemon_id: `D-${queue}`,
    delivery_tag: 1,
    message_id: 'M-1',
    status: 200,
    duration_ms: expect.any(Number),
  })
})

test('an 8 MiB body passes through whole, as bytes and as a form', async ({
  broker,
  queue,
  sharedPool,
  startDaemon,
}) => {
  const bytes = randomBytes(8 * 1024 * 1024)
  await publishAll(broker, queue, [bytes], { contentType: 'image/x-noise' })
  const daemon = await startDaemon({ script: recordScript, args: ['--payload', 'raw'] })
  await daemon.waitForLine('Executed.')
  daemon.signal('SIGTERM')
  await daemon.exited

  const text = 'a'.repeat(8 * 1024 * 1024)
  await publishAll(broker, queue, [{ text }])
  await (await startDaemon({ script: recordScript, args: ['--daemon-id', 'D-form'] })).waitForLine(
    'Executed.',
  )

  const [raw, form] = readRecords(sharedPool.workerLog, queue)
  expect(raw?.params['CONTENT_TYPE']).toBe('image/x-noise')
  expect(raw?.sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
  // More than post_max_size: PHP leaves $_POST empty, but the body is all there.
  expect(form?.sha256).toBe(createHash('sha256').update(`text=${text}&daemonId=D-form`).digest('hex'))
})

test('3,000 messages, 8 in flight, are executed exactly once each', async ({
  broker,
  queue,
  sharedPool,
  startDaemon,
}) => {
  await publishAll(broker, queue, numbers(3_000))
  const id = `D-${queue}`
  const daemon = await startDaemon({ args: ['--concurrency', '8', '--daemon-id', id] })
  await eventually('all are executed', () => executionsOf(sharedPool.workerLog, id).length >= 3_000)
  daemon.signal('SIGTERM')
  expect((await daemon.exited).code).toBe(0)

  const times = executionsBy('number', executionsOf(sharedPool.workerLog, id))
  expect(times.size).toBe(3_000)
  expect([...times.values()].every((count) => count === 1)).toBe(true)
  await expectCounts(broker, queue, emptied)
})

test.for([2, 4])(
  '%i daemons share the queue evenly within a factor of two',
  async (daemons, { broker, queue, ownPool, startDaemon }) => {
    const workerLog = join(temporaryFolder('shares'), 'worker.log')
    const pool = await ownPool({ children: 8, environment: { WORKER_LOG: workerLog } })
    for (let index = 0; index < daemons; index += 1) {
      const daemon = await startDaemon({
        socket: pool.socket,
        script: recordScript,
        args: ['--concurrency', '2'],
      })
      await daemon.waitForLine('Consuming.')
    }
    // The workers' sleep sets the pace, and not the share of the processor that each daemon gets.
    await publishAll(broker, queue, Array(200).fill({ sleepMs: 20 }))
    const records = await eventually('all are executed', () => {
      const ended = readRecords(workerLog, queue)
      return ended.length >= 200 && ended
    })
    const shares = sharesOf(records.map(({ params }) => params['AMQP_DAEMON_ID'] ?? ''))
    expect(records).toHaveLength(200)
    expect(shares).toHaveLength(daemons)
    expect(Math.max(...shares) / Math.min(...shares)).toBeLessThanOrEqual(2)
  },
)

test('no more than --concurrency run at once, although their messages are acked already', async ({
  broker,
  queue,
  sharedPool,
  startDaemon,
}) => {
  const release = join(temporaryFolder('release'), 'now')
  const worker = workerThat(`${waitForFile(release)} require '${recordScript}';`)
  await publishAll(broker, queue, Array(8).fill({ sleepMs: 20 }))
  await startDaemon({ script: worker.path, args: ['--concurrency', '3', '--prefetch', '8'] })
  await eventually('three run', () => worker.executions().length === 3)
  await eventually('three are acked', async () => (await countsOf(broker, queue))?.unacked === 5)
  expect(worker.executions()).toHaveLength(3)
  writeFileSync(release, '')
  const records = await eventually('all are executed', () => {
    const ended = readRecords(sharedPool.workerLog, queue)
    return ended.length === 8 && ended
  })
  expect(mostAtOnce(records)).toBeLessThanOrEqual(3)
})

test('a message is acked when it is dispatched, not when it is done', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const release = join(temporaryFolder('release'), 'now')
  const worker = workerThat(waitForFile(release))
  await publishAll(broker, queue, numbers(1))
  const daemon = await startDaemon({ script: worker.path, args: ['--log-level', 'debug'] })
  await daemon.waitForLine('Dispatched.')
  await eventually('nothing is unacked', async () => {
    expect(await countsOf(broker, queue)).toEqual(emptied)
    return true
  })
  expect(daemon.log.some(({ message }) => message === 'Executed.')).toBe(false)
  writeFileSync(release, '')
  await daemon.waitForLine('Executed.')
})

test('an answer that is no success is logged with what the worker said', async ({
  broker,
  queue,
  startDaemon,
}) => {
  await publishAll(broker, queue, [{ status: 503, stderr: 'the database is away' }])
  const daemon = await startDaemon({ script: recordScript })
  const line = await daemon.waitForLine('not with success')
  expect(line).toMatchObject({
    level: 'warn',
    status: 503,
    stderr: expect.stringContaining('the database is away'),
  })
})

test('what a worker writes to stderr beside its success is in the log, with its ids', async ({
  broker,
  queue,
  startDaemon,
}) => {
  await publishAll(broker, queue, [{ stderr: 'strftime() is deprecated' }])
  const daemon = await startDaemon({ script: recordScript })
  const executed = await daemon.waitForLine('Executed.')
  const lines = daemon.log.filter(({ stderr }) => stderr !== undefined)
  expect(lines).toMatchObject([
    {
      level: 'info',
      message: 'The worker says success, and wrote to stderr.',
      execution_id: executed['execution_id'],
      stderr: 'PHP message: strftime() is deprecated',
    },
  ])
})

function executionsOf(workerLog: string, daemonId: string) {
  return readWorkerLog(workerLog).filter((execution) => execution.daemonId === daemonId)
}

/** How often each value occurs. */
function sharesOf(values: readonly string[]): number[] {
  return [...new Set(values)].map((value) => values.filter((other) => other === value).length)
}
