import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { type HandlerScript, handlerScript, workerPhp } from '../support/handler-script.ts'
import { publishAll, takeAll } from '../support/messages.ts'
import { nativeClient } from '../support/pool-client.ts'
import { readWorkerLog } from '../support/worker-log.ts'
import { waitForFile } from '../support/worker-script.ts'

/* What keeps a message of worker-php from being executed twice: its lock, and the deadline. */

const DELAYS = ['--retry-delay', '10ms', '--retry-max-delay', '20ms']
const COMPLETED = ['--ack', 'completed', '--max-attempts', '1000', ...DELAYS]

interface LockKind {
  readonly name: string
  /** PHP: a lock whose files are in this folder. */
  readonly php: (folder: string, leaseSeconds: number) => string
}

const LOCKS: readonly LockKind[] = [
  { name: 'FileLock', php: (folder) => `new FileLock('${folder}')` },
  {
    name: 'PdoLock',
    php: (folder, leaseSeconds) => `new PdoLock((function () {
      $pdo = new \\PDO('sqlite:${folder}/messages', options: [\\PDO::ATTR_TIMEOUT => 5]);
      $pdo->exec('CREATE TABLE IF NOT EXISTS fpm_bridge_messages (message_key CHAR(64) NOT NULL PRIMARY KEY,
        owner CHAR(32) NOT NULL, leased_until BIGINT NOT NULL, done_at BIGINT NULL)');
      return $pdo;
    })(), ${leaseSeconds})`,
  },
]

function lockedScript(directory: string, lock: LockKind, handler: string, leaseSeconds = 99): HandlerScript {
  const folder = join(directory, 'locks')
  mkdirSync(folder)
  return handlerScript(directory, handler, {
    worker: `lock: ${lock.php(folder, leaseSeconds)}, busyDelay: 0`,
  })
}

const extensions = ['pdo', 'pdo_sqlite']

test.for(LOCKS)(
  '$name: a message that comes again is acked, and not executed',
  async (lock, { broker, queue, ownPool, startDaemon }) => {
    const pool = await ownPool({ extensions })
    const worker = lockedScript(pool.directory, lock, '')
    await publishAll(broker, queue, [{ do: 'one' }], { messageId: 'm-1' })
    await publishAll(broker, queue, [{ do: 'two' }], { messageId: 'm-2' })
    const daemon = await startDaemon({ socket: pool.socket, script: worker.script, args: COMPLETED })
    await eventually('both are executed', () => executedBy(daemon.log) === 2)
    await publishAll(broker, queue, [{ do: 'one' }], { messageId: 'm-1' })
    await eventually('the third is acked', () => executedBy(daemon.log) === 3)
    expect(
      worker
        .executions()
        .map((execution) => execution.do)
        .sort(),
    ).toEqual(['one', 'two'])
  },
)

const ENDS = [
  { what: 'is killed', handler: "exec('kill -9 ' . getmypid()); sleep(5);" },
  { what: 'exits', handler: 'exit;' },
  { what: 'runs out of memory', handler: "str_repeat('x', 1 << 40);" },
  { what: 'throws', handler: "throw new \\Exception('no');" },
]

test.for(LOCKS.flatMap((lock) => ENDS.map((end) => ({ name: lock.name, lock, ...end }))))(
  '$name: a message whose handler $what is executed again',
  async ({ lock, what, handler }, { broker, queue, ownPool, startDaemon }) => {
    const pool = await ownPool({ extensions })
    // A killed process leaves its row to the lease, and attempts find it busy until then.
    const leased = lock.name === 'PdoLock' && what === 'is killed'
    const once = `if ($message->attempt === 1) { ${handler} }`
    const worker = lockedScript(pool.directory, lock, once, leased ? 1 : 99)
    await publishAll(broker, queue, [{ do: 'it' }], { messageId: 'm-1' })
    const daemon = await startDaemon({ socket: pool.socket, script: worker.script, args: COMPLETED })
    await eventually('it is executed', () => executedBy(daemon.log) === 1)
    const attempts = worker.executions().map(({ attempt }) => attempt)
    expect(attempts).toEqual([1, leased ? expect.any(Number) : 2])
  },
)

test.for(LOCKS)(
  '$name: what still runs when it comes again is waited for',
  async (lock, { broker, queue, ownPool, startDaemon }) => {
    const pool = await ownPool({ extensions })
    const release = join(pool.directory, 'release')
    const worker = lockedScript(pool.directory, lock, waitForFile(release))
    await publishAll(broker, queue, [{ do: 'it' }], { messageId: 'm-1' })
    const settings = { socket: pool.socket, script: worker.script, args: COMPLETED }
    const first = await startDaemon(settings)
    await eventually('it runs', () => worker.executions().length === 1)
    await first.kill()

    const second = await startDaemon(settings)
    await second.waitForLine('being executed elsewhere')
    expect(executedBy(second.log)).toBe(0)
    writeFileSync(release, '')
    await eventually('it is acked', () => executedBy(second.log) === 1)
    expect(worker.executions()).toHaveLength(1)
  },
)

test('the example acts once on each id, and rejects what has none', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const { directory } = await ownPool()
  const log = join(directory, 'worker.log')
  const pool = await ownPool({ environment: { WORKER_LOG: log, WORKER_LOCKS: directory } })
  for (const messageId of ['m-1', 'm-2', 'm-1'])
    await publishAll(broker, queue, [{ number: 7 }], { messageId })
  await publishAll(broker, queue, [{ number: 8 }])
  const script = join(workerPhp, 'examples/once.php')
  const daemon = await startDaemon({ socket: pool.socket, script, args: COMPLETED })
  await eventually('three are acked', () => executedBy(daemon.log) === 3)
  await daemon.waitForLine('Dead-lettered.')
  expect(readWorkerLog(log).map(({ number }) => number)).toEqual(['7', '7'])
  const [copy] = await takeAll(broker, `${queue}.dead`)
  expect(copy?.content.toString()).toBe('{"number":8}')
  expect(copy?.properties.headers?.['x-fpm-bridge-stderr']).toContain('it has no message id')
})

test('a request that the daemon has given up in the backlog is not executed any more', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const pool = await ownPool({ children: 1 })
  const release = join(pool.directory, 'release')
  const worker = handlerScript(pool.directory, waitForFile(release))
  await publishAll(broker, queue, [{ do: 'it' }, { do: 'it' }])
  const args = ['--ack', 'completed', '--max-attempts', '1', '--concurrency', '2', '--timeout', '3s']
  const daemon = await startDaemon({ socket: pool.socket, script: worker.script, args })
  await eventually(
    'both are given up',
    () => daemon.log.filter(({ message }) => message === 'Dead-lettered.').length === 2,
  )
  await daemon.kill()
  writeFileSync(release, '')

  // The one child takes requests in the order in which they came: when it has this one, it has had the other.
  const client = nativeClient(pool, { keepAlive: false })
  const params = {
    SCRIPT_FILENAME: worker.script,
    CONTENT_TYPE: 'application/json',
    AMQP_EXECUTION_ID: 'last',
    AMQP_DAEMON_ID: 'D-last',
    AMQP_QUEUE: queue,
  }
  try {
    expect(await client.request({ params, body: Buffer.from('{"do":"last"}') })).toMatchObject({
      status: 200,
    })
  } finally {
    await client.close()
  }
  expect(worker.executions().map((execution) => execution.do)).toEqual(['it', 'last'])
})

/** PHP that returns when this file is there. */
function executedBy(log: readonly { message: string }[]): number {
  return log.filter(({ message }) => message === 'Executed.').length
}
