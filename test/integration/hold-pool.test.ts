import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { closeConnection } from '../support/broker-connections.ts'
import { count, HOLD_OVER, HOLDING } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { numbers, publishAll, takeAll } from '../support/messages.ts'
import { expectCounts } from '../support/queue-counts.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { waitForFile, workerThat } from '../support/worker-script.ts'

/* The pool is away, or lets nobody in: messages are kept, for as long as the broker has patience. */

const MODES = ['completed', 'dispatched'] as const
/** 62 s less the minute that has to be left: what waits goes back after 2 s. */
const IMPATIENT = ['--ack', 'completed', '--timeout', '0', '--consumer-timeout', '62s', '--keep-alive', 'off']
const HANDED_BACK = 'Waiting messages go back to the broker, before they wait too long for it; not consuming.'
/** The daemon's user may not get round the socket's permissions, as root may. */
const BOUND = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search'] : []

test.for(MODES)(
  '--ack %s: a socket without the right to connect is waited for, with no attempt counted',
  async (ack, { broker, queue, ownPool, startDaemon }) => {
    const pool = await ownPool()
    const worker = workerThat('')
    await publishAll(broker, queue, numbers(6), { messageId: 'M' })
    chmodSync(pool.socket, 0)
    const daemon = await startDaemon({
      socket: pool.socket,
      script: worker.path,
      args: ['--ack', ack],
      under: BOUND,
    })
    const line = await daemon.waitForLine(HOLDING)
    expect(line['reason']).toContain('EACCES')
    await daemon.waitForLine('Consuming.')
    chmodSync(pool.socket, 0o777)
    await eventually('all are executed', () => count(daemon.log, 'Executed.') === 6)
    expect(worker.executions()).toEqual(Array(6).fill('M 1 0'))
    expect([count(daemon.log, HOLDING), count(daemon.log, HOLD_OVER)]).toEqual([1, 1])
  },
)

test.for(MODES)(
  '--ack %s: a pool that goes and comes back in mid-run is waited for, and no message is dead-lettered',
  async (ack, { broker, queue, ownPool, startDaemon }) => {
    const pool = await ownPool({ global: { process_control_timeout: '10s' } })
    const release = join(temporaryFolder('release'), 'now')
    // Some are left for the pool that comes back, however late the first one is stopped.
    const worker = workerThat(`if ($_POST['number'] > 100) { ${waitForFile(release)} } usleep(5000);`)
    await publishAll(broker, queue, numbers(200), (index) => ({ messageId: `M-${index}` }))
    const args = [
      '--ack',
      ack,
      ...(ack === 'completed' ? ['--retry-delay', '100ms', '--max-attempts', '2'] : []),
    ]
    const daemon = await startDaemon({ socket: pool.socket, script: worker.path, args })
    await eventually('some are executed', () => count(daemon.log, 'Executed.') > 20)
    const stopped = pool.stop()
    writeFileSync(release, '')
    await stopped
    await daemon.waitForLine(HOLDING)
    await pool.start()
    const ended = () => daemon.log.filter(({ outcome }) => outcome === 'executed' || outcome === 'lost')
    await eventually('all have ended', () => ended().length === 200)
    // Only what stood in the pool's backlog when it went may be unknown.
    const lost = ended().filter(({ outcome }) => outcome === 'lost')
    expect(lost.length).toBeLessThanOrEqual(ack === 'completed' ? 0 : 4)
    expect(count(daemon.log, HOLDING)).toBe(count(daemon.log, HOLD_OVER))
    expect(await takeAll(broker, `${queue}.dead`)).toEqual([])
  },
)

test('a hold that outlasts the broker’s patience hands back what waits, keeps what runs, and consumes again', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const pool = await ownPool()
  const release = join(temporaryFolder('release'), 'now')
  const worker = workerThat(`if (isset($_POST['wait'])) { ${waitForFile(release)} }`)
  await publishAll(broker, queue, [{ wait: true }], { messageId: 'M-runs' })
  const daemon = await startDaemon({
    socket: pool.socket,
    script: worker.path,
    args: IMPATIENT,
    under: BOUND,
  })
  await eventually('it runs', () => worker.executions().length === 1)
  chmodSync(pool.socket, 0)
  await publishAll(broker, queue, numbers(8), { messageId: 'M-waits' })
  await daemon.waitForLine(HOLDING)
  await daemon.waitForLine(HANDED_BACK)
  await eventually('they are the broker’s again', async () => {
    expect(await broker.queues()).toContainEqual({ name: queue, ready: 8, unacked: 1, consumers: 0 })
    return true
  })

  writeFileSync(release, '')
  await daemon.waitForLine('Executed.')
  await eventually('it is acked', async () => {
    expect(await broker.queues()).toContainEqual({ name: queue, ready: 8, unacked: 0, consumers: 0 })
    return true
  })
  chmodSync(pool.socket, 0o777)
  await daemon.waitForLine('Consuming again.')
  await eventually('all are executed', () => count(daemon.log, 'Executed.') === 9)
  expect(worker.executions()).toEqual(['M-runs 1 0', ...Array(8).fill(expect.stringMatching(/^M-waits 1 /))])
  expect([HOLDING, HANDED_BACK, HOLD_OVER].map((line) => count(daemon.log, line))).toEqual([1, 1, 1])
  expect(count(daemon.log, 'The session with the broker has ended; opening another.')).toBe(0)
})

test('a session that ends while nothing is consumed is followed by one when the pool is back', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const pool = await ownPool()
  const worker = workerThat('')
  await pool.stop()
  await publishAll(broker, queue, numbers(8), { messageId: 'M' })
  const args = [...IMPATIENT, '--daemon-id', `D-${queue}`]
  const daemon = await startDaemon({ socket: pool.socket, script: worker.path, args })
  await daemon.waitForLine(HANDED_BACK)
  await closeConnection(broker, `D-${queue}`)
  await daemon.waitForLine('The session with the broker has ended; opening another.')
  await pool.start()
  await eventually('all are executed', () => count(daemon.log, 'Executed.') === 8)
  expect(worker.executions()).toEqual(Array(8).fill(expect.stringMatching(/^M 1 /)))
  expect(count(daemon.log, 'The session with the broker has ended; opening another.')).toBe(1)
})

test('SIGTERM after all was handed back ends at once, and nothing is unacked', async ({
  broker,
  queue,
  startDaemon,
}) => {
  await publishAll(broker, queue, numbers(8))
  const daemon = await startDaemon({ socket: '/nowhere/fpm.sock', args: IMPATIENT })
  await daemon.waitForLine(HANDED_BACK)
  daemon.signal('SIGTERM')
  expect(await daemon.exited).toMatchObject({ code: 0 })
  await expectCounts(broker, queue, { ready: 8, unacked: 0 })
})
