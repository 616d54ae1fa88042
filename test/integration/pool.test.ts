import { join } from 'node:path'
import { expect } from 'vitest'
import { count, HOLD_OVER, HOLDING } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test, workerScript } from '../support/fixtures.ts'
import { numbers, publishAll } from '../support/messages.ts'
import { executionsBy, readWorkerLog } from '../support/worker-log.ts'

test('a pool that is away at start is waited for, with one line that says so', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  await publishAll(broker, queue, numbers(5))
  const pool = await ownPool({ environment: { WORKER_LOG: '/dev/null', WORKER_SLEEP_MS: '0' } })
  await pool.stop()
  const daemon = await startDaemon({ socket: pool.socket })
  const line = await daemon.waitForLine(HOLDING)
  expect(line['reason']).toMatch(/fpm\.sock: ENOENT: there is no such socket/)
  await daemon.waitForLine('Consuming.')

  await pool.start()
  await eventually('all are executed', () => count(daemon.log, 'Executed.') === 5)
  expect(count(daemon.log, HOLDING)).toBe(1)
  expect(count(daemon.log, HOLD_OVER)).toBe(1)
  await eventually('all are acked', async () => {
    expect(await broker.queues()).toContainEqual({ name: queue, ready: 0, unacked: 0, consumers: 1 })
    return true
  })
})

test('a pool that dies and leaves its socket behind loses what it had, and nothing else', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const log = join((await ownPool()).directory, 'worker.log')
  const pool = await ownPool({ environment: { WORKER_LOG: log, WORKER_SLEEP_MS: '20' } })
  await publishAll(broker, queue, numbers(200))
  const daemon = await startDaemon({ socket: pool.socket })
  await eventually('some are executed', () => readWorkerLog(log).length > 20)
  await pool.kill()
  // First it may be a connection that was just being made; that nobody listens any more comes next.
  await daemon.waitForLine('ECONNREFUSED')
  expect(count(daemon.log, HOLDING)).toBe(1)
  await pool.start()

  await eventually('nothing is left', () => executed(daemon.log) + lost(daemon.log) === 200)
  // What was in the pool's hands may have died with it; every one is accounted for in the daemon's log.
  expect(lost(daemon.log)).toBeLessThanOrEqual(8)
  expect([...executionsBy('number', readWorkerLog(log)).values()].every((times) => times === 1)).toBe(true)
  expect(executionsBy('number', readWorkerLog(log)).size).toBeGreaterThanOrEqual(200 - lost(daemon.log))
})

test('a pool on host:port', async ({ broker, queue, ownPool, startDaemon }) => {
  await publishAll(broker, queue, numbers(3))
  const pool = await ownPool({
    listen: 'tcp',
    environment: { WORKER_LOG: '/dev/null', WORKER_SLEEP_MS: '0' },
  })
  const daemon = await startDaemon({ socket: pool.socket })
  await eventually('all are executed', () => count(daemon.log, 'Executed.') === 3)
})

test('a socket that is a file: exit 78', async ({ startDaemon }) => {
  const daemon = await startDaemon({ socket: workerScript })
  expect(await daemon.exited).toMatchObject({ code: 78 })
  expect(daemon.log).toEqual([
    { message: expect.stringMatching(/--socket .*worker\.php is a file and no socket/) },
  ])
})

function executed(log: readonly { message: string }[]): number {
  return count(log, 'Executed.')
}

function lost(log: readonly { message: string }[]): number {
  return log.filter(({ message }) => message.startsWith('Acked, and no complete answer')).length
}
