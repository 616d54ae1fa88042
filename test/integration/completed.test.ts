import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Broker } from '../support/broker-api.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { numbers, publishAll, takeAll } from '../support/messages.ts'
import { readRecords, recordScript } from '../support/records.ts'

/* `--ack completed`: a message is acked when the worker has succeeded, and not before. */

const COMPLETED = ['--ack', 'completed']
const HELD = 'Holding: the pool cannot be reached. Messages are kept and wait; none is lost.'

async function countsOf(broker: Broker, queue: string) {
  const found = (await broker.queues()).find(({ name }) => name === queue)
  return found && { ready: found.ready, unacked: found.unacked }
}

/** A worker that notes in the file `started` that it began, and whether this was a redelivery; then does this. */
function workerThat(php: string, directory: string): { script: string; started: string } {
  const [script, started] = [join(directory, 'worker.php'), join(directory, 'started')]
  const note = `file_put_contents('${started}', $_SERVER['AMQP_REDELIVERED'] . "\\n", FILE_APPEND);`
  writeFileSync(script, `<?php ${note} ${php}`)
  return { script, started }
}

test('a message is unacked for as long as its worker runs, and acked when it has succeeded', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const pool = await ownPool()
  const release = join(pool.directory, 'release')
  const wait = `while (isset($_POST['wait']) && !is_file('${release}')) { usleep(10000); clearstatcache(); }`
  const { script } = workerThat(
    `${wait} http_response_code((int) ($_POST['status'] ?? 200));`,
    pool.directory,
  )
  await publishAll(broker, queue, [{ wait: true }, { status: 204 }, { status: 299 }])
  const daemon = await startDaemon({ socket: pool.socket, script, args: COMPLETED })
  await eventually('two are executed', () => count(daemon.log, 'Executed.') === 2)
  // The first still runs: the others' acks do not wait for it, nor its own for anything but its end.
  expect(await countsOf(broker, queue)).toEqual({ ready: 0, unacked: 1 })
  expect(count(daemon.log, 'Executed.')).toBe(2)

  writeFileSync(release, '')
  await eventually('the third is executed', () => count(daemon.log, 'Executed.') === 3)
  await eventually('it is acked', async () => (await countsOf(broker, queue))?.unacked === 0)
  expect(await takeAll(broker, `${queue}.dead`)).toEqual([])
})

test('a thousand are executed once each and acked', async ({ broker, queue, sharedPool, startDaemon }) => {
  await publishAll(broker, queue, numbers(1_000))
  const daemon = await startDaemon({ script: recordScript, args: [...COMPLETED, '--prefetch', '50'] })
  await eventually('all are executed', () => count(daemon.log, 'Executed.') === 1_000, { within: 20_000 })
  const seen = readRecords(sharedPool.workerLog, queue).map(({ post }) => Number(post['number']))
  expect(seen.sort((a, b) => a - b)).toEqual(numbers(1_000).map(({ number }) => number))
  daemon.signal('SIGTERM')
  expect(await daemon.exited).toMatchObject({ code: 0 })
  expect(await countsOf(broker, queue)).toEqual({ ready: 0, unacked: 0 })
})

test('what the worker refuses goes to the dead-letter queue with status and stderr', async ({
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
  const daemon = await startDaemon({ script: recordScript, args: COMPLETED })
  await eventually('all are moved', () => count(daemon.log, 'Dead-lettered.') === statuses.length)

  const dead = await takeAll(broker, `${queue}.dead`)
  for (const status of statuses) {
    const copy = dead.find(({ content }) => content.toString().includes(`because of ${status}`))
    expect(copy?.properties.headers).toMatchObject({
      'x-fpm-bridge-reason': `the worker answered with status ${status}`,
      'x-fpm-bridge-status': status,
      'x-fpm-bridge-stderr': `PHP message: because of ${status}`,
      'x-fpm-bridge-script': recordScript,
      'x-fpm-bridge-queue': queue,
    })
  }
  expect(await countsOf(broker, queue)).toEqual({ ready: 0, unacked: 0 })
})

test.for([
  {
    what: 'kills its child',
    php: "exec('kill -9 ' . getmypid()); sleep(5);",
    args: [],
    settings: {},
    reason: /ended before the answer was complete: ECONNRESET/,
  },
  {
    what: 'kills its child in the middle of a 200',
    php: "echo 'partial'; flush(); exec('kill -9 ' . getmypid()); sleep(5);",
    args: [],
    settings: {},
    reason: /ended before the answer was complete: ECONNRESET/,
  },
  {
    what: 'takes longer than --timeout',
    php: 'sleep(3);',
    args: ['--timeout', '500ms'],
    settings: {},
    reason: /^no complete answer within 500 ms$/,
  },
  {
    what: 'takes longer than request_terminate_timeout',
    php: 'sleep(10);',
    args: [],
    settings: { request_terminate_timeout: '1s' },
    reason: /ended before the answer was complete/,
  },
])(
  'a message whose worker $what goes to the dead-letter queue, and is not executed again',
  async ({ php, args, settings, reason }, { broker, queue, ownPool, startDaemon }) => {
    const pool = await ownPool({ settings })
    const { script, started } = workerThat(php, pool.directory)
    await publishAll(broker, queue, [{ number: 1 }])
    const daemon = await startDaemon({ socket: pool.socket, script, args: [...COMPLETED, ...args] })
    const line = await daemon.waitForLine('Dead-lettered.')
    expect(line['reason']).toMatch(reason)
    const [copy, ...others] = await takeAll(broker, `${queue}.dead`)
    expect(others).toEqual([])
    expect(copy?.content.toString()).toBe('{"number":1}')
    expect(copy?.properties.headers).toMatchObject({ 'x-fpm-bridge-reason': expect.stringMatching(reason) })
    expect(copy?.properties.headers).not.toHaveProperty('x-fpm-bridge-status')
    expect(readLines(started)).toEqual(['0'])
    expect(await countsOf(broker, queue)).toEqual({ ready: 0, unacked: 0 })
  },
)

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
  await daemon.waitForLine(HELD)
  await daemon.waitForLine('Consuming.')
  expect(await countsOf(broker, queue)).toEqual({ ready: 16, unacked: 4 })
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
  await publishAll(broker, queue, Array(400).fill({ sleepMs: 5 }))
  const daemon = await startDaemon({ socket: pool.socket, script: recordScript, args: COMPLETED })
  await eventually('some are executed', () => readRecords(log, queue).length > 50)
  await pool.stop()
  await daemon.waitForLine(HELD)
  await pool.start()
  await eventually(
    'all are settled',
    () => count(daemon.log, 'Executed.') + count(daemon.log, 'Dead-lettered.') === 400,
    { within: 15_000 },
  )
  // What was in the backlog when the pool closed it was reset unread; whether it ran is not to be known from outside.
  expect(count(daemon.log, 'Dead-lettered.')).toBeLessThanOrEqual(4)
  expect(readRecords(log, queue).length).toBe(count(daemon.log, 'Executed.'))
})

test('SIGTERM lets what runs finish, and acks it', async ({ broker, queue, sharedPool, startDaemon }) => {
  await publishAll(broker, queue, Array(6).fill({ sleepMs: 1_000 }))
  const args = [...COMPLETED, '--concurrency', '2', '--prefetch', '4', '--log-level', 'debug']
  const daemon = await startDaemon({ script: recordScript, args })
  await eventually('both slots are taken', () => count(daemon.log, 'Dispatched.') === 2)
  daemon.signal('SIGTERM')
  expect(await daemon.exited).toMatchObject({ code: 0 })
  expect(readRecords(sharedPool.workerLog, queue)).toHaveLength(2)
  expect(daemon.log.at(-1)).toMatchObject({ message: 'Stopped.', executed: 2 })
  expect(await countsOf(broker, queue)).toEqual({ ready: 4, unacked: 0 })
})

test.for<[string, NodeJS.Signals, number | null]>([
  ['past the drain timeout', 'SIGTERM', 75],
  ['by SIGKILL', 'SIGKILL', null],
])(
  'what still runs when the daemon ends %s is delivered again',
  async ([, signal, code], { broker, queue, ownPool, startDaemon }) => {
    const pool = await ownPool()
    // The first execution hangs; the next one, which is a redelivery, succeeds.
    const { script, started } = workerThat(
      "if ($_SERVER['AMQP_REDELIVERED'] === '0') sleep(20);",
      pool.directory,
    )
    await publishAll(broker, queue, [{ number: 1 }])
    const daemon = { socket: pool.socket, script, args: [...COMPLETED, '--drain-timeout', '200ms'] }
    const first = await startDaemon({ ...daemon, args: [...daemon.args, '--log-level', 'debug'] })
    await first.waitForLine('Dispatched.')
    first.signal(signal)
    expect((await first.exited).code).toBe(code)
    await eventually('it is the broker’s again', async () => (await countsOf(broker, queue))?.ready === 1)

    const second = await startDaemon(daemon)
    await second.waitForLine('Executed.')
    expect(await eventually('both are written down', () => readLines(started))).toEqual(['0', '1'])
  },
)

function readLines(path: string): string[] {
  return readFileSync(path, 'utf8').trim().split('\n')
}

function count(log: readonly { message: string }[], message: string): number {
  return log.filter((line) => line.message === message).length
}
