import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { leaveAtOnce } from '../support/bridge-process.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { numbers, publishAll } from '../support/messages.ts'
import { freePorts } from '../support/ports.ts'
import { countsOf, expectCounts } from '../support/queue-counts.ts'
import { readRecords, recordScript } from '../support/records.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { startTappedLink } from '../support/tapped-link.ts'
import { waitForFile, workerThat } from '../support/worker-script.ts'

test('SIGTERM lets what is in flight finish, hands back the rest and exits 0', async ({
  broker,
  queue,
  sharedPool,
  startDaemon,
}) => {
  const release = join(temporaryFolder('release'), 'now')
  const worker = workerThat(`${waitForFile(release)} require '${recordScript}';`)
  await publishAll(broker, queue, numbers(6))
  const args = ['--concurrency', '2', '--prefetch', '4', '--log-level', 'debug']
  const daemon = await startDaemon({ script: worker.path, args })
  await eventually('both slots are taken', () => dispatched(daemon.log) === 2)
  daemon.signal('SIGTERM')
  await daemon.waitForLine('Draining.')
  writeFileSync(release, '')

  expect(await daemon.exited).toMatchObject({ code: 0 })
  expect(readRecords(sharedPool.workerLog, queue)).toHaveLength(2)
  expect(daemon.log.at(-1)).toMatchObject({ message: 'Stopped.', executed: 2 })
  await expectCounts(broker, queue, { ready: 4, unacked: 0 })
})

test('what is handed back does not come here again', async ({ broker, queue, startDaemon }) => {
  const release = join(temporaryFolder('release'), 'now')
  const worker = workerThat(waitForFile(release))
  const [port] = (await freePorts(1)) as [number]
  let delivered = 0
  const link = await startTappedLink(port, broker.port, ({ unit }) => {
    if (unit.name === 'deliver') delivered += 1
    return undefined
  })
  try {
    await publishAll(broker, queue, numbers(50))
    const url = `amqp://guest:guest@127.0.0.1:${link.port}`
    const args = ['--ack', 'completed', '--concurrency', '1', '--prefetch', '40']
    const daemon = await startDaemon({ url, script: worker.path, args })
    await eventually('one is executing', () => delivered === 40 && worker.executions().length === 1)
    daemon.signal('SIGTERM')
    await daemon.waitForLine('Draining.')
    writeFileSync(release, '')
    expect(await daemon.exited).toMatchObject({ code: 0 })
    expect(delivered).toBe(40)
  } finally {
    link.close()
  }
})

test('SIGTERM in mid-run loses nothing and repeats nothing', async ({ broker, queue, startDaemon }) => {
  const release = join(temporaryFolder('release'), 'now')
  // Something is always left for the second daemon.
  const worker = workerThat(`if ($_POST['number'] > 500) { ${waitForFile(release)} }`)
  const ids = numbers(1_000).map(({ number }) => `M-${number}`)
  await publishAll(broker, queue, numbers(1_000), (index) => ({ messageId: ids[index] as string }))
  const executed = () => worker.executions().map((line) => line.split(' ')[0])
  const first = await startDaemon({ script: worker.path, args: ['--prefetch', '50'] })
  await eventually('some are executed', () => executed().length > 200)
  first.signal('SIGTERM')
  await first.waitForLine('Draining.')
  writeFileSync(release, '')
  expect(await first.exited).toMatchObject({ code: 0 })
  expect(executed().length).toBeLessThan(1_000)

  await startDaemon({ script: worker.path })
  await eventually('all are executed', () => executed().length >= 1_000)
  expect(executed().sort()).toEqual(ids.sort())
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
  expect(daemon.log.at(-1)).toMatchObject({ level: 'error', in_flight: 1 })
  expect(daemon.log.filter(({ outcome }) => outcome === 'lost')).toMatchObject([
    { level: 'error', message_id: 'M-1', execution_id: expect.any(String) },
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
  await leaveAtOnce(daemon)

  expect(await daemon.exited).toMatchObject({ code: 75 })
  expect(daemon.log.slice(-4)).toMatchObject([
    { level: 'error', message: 'Second signal: leaving at once.' },
    { level: 'error', outcome: 'lost' },
    { level: 'info', messages: { lost: 1 } },
    { level: 'error', in_flight: 1 },
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
  await expectCounts(broker, queue, { ready: 3, unacked: 0 })
})

function dispatched(log: readonly { message: string }[]): number {
  return log.filter(({ message }) => message === 'Dispatched.').length
}
