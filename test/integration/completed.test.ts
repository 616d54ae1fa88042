import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { count, HOLDING } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { numbers, publishAll, takeAll } from '../support/messages.ts'
import { countsOf, expectCounts } from '../support/queue-counts.ts'
import { readRecords, recordScript } from '../support/records.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { waitForFile, workerThat } from '../support/worker-script.ts'

/* `--ack completed`: a message is acked when the worker has succeeded, and not before. */

const COMPLETED = ['--ack', 'completed']

test('a message is unacked for as long as its worker runs, and acked when it has succeeded', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const pool = await ownPool()
  const release = join(pool.directory, 'release')
  const wait = `if (isset($_POST['wait'])) { ${waitForFile(release)} }`
  const script = workerThat(`${wait} http_response_code((int) ($_POST['status'] ?? 200));`).path
  await publishAll(broker, queue, [{ wait: true }, { status: 204 }, { status: 299 }])
  const daemon = await startDaemon({ socket: pool.socket, script, args: COMPLETED })
  await eventually('two are executed', () => count(daemon.log, 'Executed.') === 2)
  // The first still runs: the others' acks do not wait for it, nor its own for anything but its end.
  await eventually('two are acked', async () => {
    expect(await countsOf(broker, queue)).toEqual({ ready: 0, unacked: 1 })
    return true
  })
  expect(count(daemon.log, 'Executed.')).toBe(2)

  writeFileSync(release, '')
  await eventually('the third is executed', () => count(daemon.log, 'Executed.') === 3)
  await eventually('it is acked', async () => (await countsOf(broker, queue))?.unacked === 0)
  expect(await takeAll(broker, `${queue}.dead`)).toEqual([])
})

test('a thousand are executed once each and acked', async ({ broker, queue, sharedPool, startDaemon }) => {
  await publishAll(broker, queue, numbers(1_000))
  const daemon = await startDaemon({ script: recordScript, args: [...COMPLETED, '--prefetch', '50'] })
  await eventually('all are executed', () => count(daemon.log, 'Executed.') === 1_000)
  const seen = readRecords(sharedPool.workerLog, queue).map(({ post }) => Number(post['number']))
  expect(seen.sort((a, b) => a - b)).toEqual(numbers(1_000).map(({ number }) => number))
  daemon.signal('SIGTERM')
  expect(await daemon.exited).toMatchObject({ code: 0 })
  await expectCounts(broker, queue, { ready: 0, unacked: 0 })
})

test('what the worker refuses for good goes to the dead-letter queue with status and stderr', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const statuses = [500, 503, 404, 302]
  await publishAll(
    broker,
    queue,
    statuses.map((status) => ({ status, stderr: `because of ${status}` })),
  )
  const daemon = await startDaemon({ script: recordScript, args: [...COMPLETED, '--max-attempts', '1'] })
  await eventually('all are moved', () => count(daemon.log, 'Dead-lettered.') === statuses.length)

  const dead = await takeAll(broker, `${queue}.dead`)
  for (const status of statuses) {
    const copy = dead.find(({ content }) => content.toString().includes(`because of ${status}`))
    expect(copy?.properties.headers).toMatchObject({
      'x-fpm-bridge-attempt': 1,
      'x-fpm-bridge-reason': expect.stringMatching(`the worker answered with status ${status}$`),
      'x-fpm-bridge-status': status,
      'x-fpm-bridge-stderr': `PHP message: because of ${status}`,
      'x-fpm-bridge-script': recordScript,
      'x-fpm-bridge-queue': queue,
    })
  }
  await eventually('they are acked', async () => {
    expect(await countsOf(broker, queue)).toEqual({ ready: 0, unacked: 0 })
    return true
  })
})

test('a pool that is away is waited for: nothing is given up', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  await publishAll(broker, queue, numbers(20))
  const pool = await ownPool({ environment: { WORKER_LOG: '/dev/null', WORKER_SLEEP_MS: '0' } })
  await pool.stop()
  const daemon = await startDaemon({ socket: pool.socket, args: COMPLETED })
  await daemon.waitForLine(HOLDING)
  await daemon.waitForLine('Consuming.')
  await eventually('it holds six', async () => {
    expect(await countsOf(broker, queue)).toEqual({ ready: 14, unacked: 6 })
    return true
  })
  await pool.start()
  await eventually('all are executed', () => count(daemon.log, 'Executed.') === 20)
  expect(await takeAll(broker, `${queue}.dead`)).toEqual([])
})

test('a pool that is stopped and started in mid-run loses nothing and repeats nothing', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const settings = { process_control_timeout: '10s' }
  const log = join((await ownPool()).directory, 'worker.log')
  const pool = await ownPool({ global: settings, environment: { WORKER_LOG: log } })
  const release = join(temporaryFolder('release'), 'now')
  // Some are left for the pool that comes back, however late the first one is stopped.
  const worker = workerThat(
    `if ($_POST['number'] > 200) { ${waitForFile(release)} } require '${recordScript}';`,
  )
  const bodies = numbers(400).map(({ number }) => ({ number, sleepMs: 5 }))
  await publishAll(broker, queue, bodies)
  const daemon = await startDaemon({ socket: pool.socket, script: worker.path, args: COMPLETED })
  await eventually('some are executed', () => readRecords(log, queue).length > 50)
  const stopped = pool.stop()
  writeFileSync(release, '')
  await stopped
  await daemon.waitForLine(HOLDING)
  await pool.start()
  await eventually('all are executed', () => count(daemon.log, 'Executed.') === 400)
  // What was in the backlog when the pool closed it was reset unread; whether it ran is not to be known from outside.
  const again = count(daemon.log, 'To be executed again.')
  expect(again).toBeLessThanOrEqual(4)
  expect(readRecords(log, queue).length).toBeLessThanOrEqual(400 + again)
  expect(count(daemon.log, 'Dead-lettered.')).toBe(0)
})

test('SIGTERM lets what runs finish, and acks it', async ({ broker, queue, sharedPool, startDaemon }) => {
  const release = join(temporaryFolder('release'), 'now')
  const worker = workerThat(`${waitForFile(release)} require '${recordScript}';`)
  await publishAll(broker, queue, numbers(6))
  const args = [...COMPLETED, '--concurrency', '2', '--prefetch', '4', '--log-level', 'debug']
  const daemon = await startDaemon({ script: worker.path, args })
  await eventually('both slots are taken', () => count(daemon.log, 'Dispatched.') === 2)
  daemon.signal('SIGTERM')
  await daemon.waitForLine('Draining.')
  writeFileSync(release, '')
  expect(await daemon.exited).toMatchObject({ code: 0 })
  expect(readRecords(sharedPool.workerLog, queue)).toHaveLength(2)
  expect(daemon.log.at(-1)).toMatchObject({ message: 'Stopped.', executed: 2 })
  await expectCounts(broker, queue, { ready: 4, unacked: 0 })
})

test.for<[string, NodeJS.Signals, number | null]>([
  ['past the drain timeout', 'SIGTERM', 75],
  ['by SIGKILL', 'SIGKILL', null],
])(
  'what still runs when the daemon ends %s is delivered again',
  async ([, signal, code], { broker, queue, ownPool, startDaemon }) => {
    const pool = await ownPool()
    // The first execution hangs; the next one, which is a redelivery, succeeds.
    const worker = workerThat("if ($_SERVER['AMQP_REDELIVERED'] === '0') sleep(20);")
    await publishAll(broker, queue, [{ number: 1 }])
    const daemon = {
      socket: pool.socket,
      script: worker.path,
      args: [...COMPLETED, '--drain-timeout', '200ms'],
    }
    const first = await startDaemon({ ...daemon, args: [...daemon.args, '--log-level', 'debug'] })
    await first.waitForLine('Dispatched.')
    first.signal(signal)
    expect((await first.exited).code).toBe(code)
    await eventually('it is the broker’s again', async () => (await countsOf(broker, queue))?.ready === 1)

    const second = await startDaemon(daemon)
    await second.waitForLine('Executed.')
    expect(worker.executions()).toEqual(['- 1 0', '- 1 1'])
  },
)
