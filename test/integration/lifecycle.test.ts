import { expect } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { numbers, publishAll } from '../support/messages.ts'
import { countsOf } from '../support/queue-counts.ts'
import { readRecords, recordScript } from '../support/records.ts'
import { executionsBy, readWorkerLog } from '../support/worker-log.ts'

test('SIGTERM lets what is in flight finish, hands back the rest and exits 0', async ({
  broker,
  queue,
  sharedPool,
  startDaemon,
}) => {
  await publishAll(broker, queue, Array(6).fill({ sleepMs: 1_000 }))
  const args = ['--concurrency', '2', '--prefetch', '4', '--log-level', 'debug']
  const daemon = await startDaemon({ script: recordScript, args })
  await eventually('both slots are taken', () => dispatched(daemon.log) === 2)
  daemon.signal('SIGTERM')

  expect(await daemon.exited).toMatchObject({ code: 0 })
  expect(readRecords(sharedPool.workerLog, queue)).toHaveLength(2)
  expect(daemon.log.at(-1)).toMatchObject({ message: 'Stopped.', executed: 2 })
  expect(await countsOf(broker, queue)).toEqual({ ready: 4, unacked: 0 })
})

test('SIGTERM in mid-run loses nothing and repeats nothing', async ({
  broker,
  queue,
  sharedPool,
  startDaemon,
}) => {
  await publishAll(broker, queue, numbers(2_000))
  const ids = [`D-${queue}-first`, `D-${queue}-second`]
  const executions = () =>
    readWorkerLog(sharedPool.workerLog).filter(({ daemonId }) => ids.includes(daemonId))
  const first = await startDaemon({ args: ['--daemon-id', `D-${queue}-first`, '--prefetch', '50'] })
  await eventually('some are executed', () => executions().length > 200)
  first.signal('SIGTERM')
  expect(await first.exited).toMatchObject({ code: 0 })
  expect(executions().length).toBeLessThan(2_000)

  await startDaemon({ args: ['--daemon-id', `D-${queue}-second`] })
  await eventually('all are executed', () => executions().length >= 2_000, { within: 20_000 })
  expect([...executionsBy('number', executions()).values()].every((count) => count === 1)).toBe(true)
  expect(executions()).toHaveLength(2_000)
})

test('past the drain timeout it exits 75, and names what was acked and still executes', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  await publishAll(broker, queue, [{ sleepMs: 20_000 }], { messageId: 'M-1' })
  const pool = await ownPool({ environment: { WORKER_LOG: '/dev/null' } })
  const daemon = await startDaemon({
    socket: pool.socket,
    script: recordScript,
    args: ['--drain-timeout', '300ms', '--log-level', 'debug'],
  })
  await daemon.waitForLine('Dispatched.')
  daemon.signal('SIGTERM')

  expect(await daemon.exited).toMatchObject({ code: 75 })
  expect(daemon.log.at(-1)).toMatchObject({ level: 'error', inFlight: 1 })
  expect(daemon.log.filter(({ outcome }) => outcome === 'lost')).toMatchObject([
    { level: 'error', messageId: 'M-1', executionId: expect.any(String) },
  ])
})

test('a second signal exits at once with 75', async ({ broker, queue, ownPool, startDaemon }) => {
  await publishAll(broker, queue, [{ sleepMs: 20_000 }])
  const pool = await ownPool({ environment: { WORKER_LOG: '/dev/null' } })
  const daemon = await startDaemon({
    socket: pool.socket,
    script: recordScript,
    args: ['--log-level', 'debug'],
  })
  await daemon.waitForLine('Dispatched.')
  daemon.signal('SIGINT')
  await daemon.waitForLine('Draining.')
  daemon.signal('SIGTERM')

  expect(await daemon.exited).toMatchObject({ code: 75 })
  expect(daemon.log.slice(-3)).toMatchObject([
    { level: 'error', message: 'Second signal: leaving at once.' },
    { level: 'error', outcome: 'lost' },
    { level: 'error', inFlight: 1 },
  ])
})

test('SIGTERM while the broker is away exits 0', async ({ startDaemon }) => {
  const daemon = await startDaemon({ url: 'amqp://127.0.0.1:1' })
  await daemon.waitForLine('Not consuming')
  daemon.signal('SIGTERM')
  expect(await daemon.exited).toMatchObject({ code: 0 })
})

test('SIGTERM while the pool is away hands the messages back and exits 0', async ({
  broker,
  queue,
  startDaemon,
}) => {
  await publishAll(broker, queue, numbers(3))
  const daemon = await startDaemon({ socket: '/nowhere/fpm.sock' })
  await daemon.waitForLine('Consuming.')
  await eventually('they are held', async () => (await countsOf(broker, queue))?.unacked === 3)
  daemon.signal('SIGTERM')

  expect(await daemon.exited).toMatchObject({ code: 0 })
  expect(await countsOf(broker, queue)).toEqual({ ready: 3, unacked: 0 })
})

function dispatched(log: readonly { message: string }[]): number {
  return log.filter(({ message }) => message === 'Dispatched.').length
}
