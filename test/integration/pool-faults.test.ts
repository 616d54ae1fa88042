import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { numbers, publishAll } from '../support/messages.ts'
import { countsOf, readyIn } from '../support/queue-counts.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { waitForFile, workerThat } from '../support/worker-script.ts'

/* A pool whose children come and go in order, and one that is stopped with requests in its backlog. */

const PUT_BACK = 'Not executed, though acked: put back into its queue.'
const LOST = 'Acked, and no complete answer: nobody knows whether it was executed.'
const idsOf = (lines: readonly string[]) => lines.map((line) => line.split(' ')[0]).sort()

test.for(['completed', 'dispatched'])(
  '--ack %s: children that end after three requests, and a graceful reload: each message is executed once',
  async (ack, { broker, queue, ownPool, startDaemon }) => {
    const pool = await ownPool({
      settings: { 'pm.max_requests': 3 },
      global: { process_control_timeout: '10s' },
    })
    const release = join(temporaryFolder('release'), 'now')
    // Some are left for the reload, however late it comes.
    const worker = workerThat(`if ($_POST['number'] > 150) { ${waitForFile(release)} } usleep(2000);`)
    const ids = numbers(300).map(({ number }) => `M-${number}`)
    await publishAll(broker, queue, numbers(300), (index) => ({ messageId: ids[index] as string }))
    const retries = ack === 'completed' ? ['--retry-delay', '100ms'] : []
    const daemon = await startDaemon({
      socket: pool.socket,
      script: worker.path,
      args: ['--ack', ack, ...retries],
    })
    // A child that ends takes what comes too late for it, and drops it (docs/decisions/0013): what becomes of that when a reload
    // comes in between nobody can tell. So none of them does, when the reload comes.
    await eventually('all children are at those', () => worker.executions().length === 154)
    const reloaded = pool.reload()
    expect(worker.executions().length).toBeLessThan(300)
    writeFileSync(release, '')
    await reloaded
    await eventually('all are executed', () => count(daemon.log, 'Executed.') === 300)
    expect(idsOf(worker.executions())).toEqual([...ids].sort())
    expect(await readyIn(broker, `${queue}.dead`)).toBe(0)
  },
)

test('--ack dispatched: what stood in the backlog of a pool that is stopped goes back into its queue, and is executed once', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const pool = await ownPool({ children: 1, global: { process_control_timeout: '10s' } })
  const release = join(temporaryFolder('release'), 'now')
  const worker = workerThat(waitForFile(release))
  const ids = ['M-1', 'M-2', 'M-3', 'M-4']
  await publishAll(broker, queue, numbers(4), (index) => ({ messageId: ids[index] as string }))
  const daemon = await startDaemon({
    socket: pool.socket,
    script: worker.path,
    args: ['--log-level', 'debug'],
  })
  await eventually('all are dispatched', () => count(daemon.log, 'Dispatched.') === 4)
  await eventually('one runs', () => worker.executions().length === 1)
  const stopped = pool.stop()
  writeFileSync(release, '')
  await stopped
  await eventually('three are back', () => count(daemon.log, PUT_BACK) === 3)
  await pool.start()
  await eventually('all are executed', () => count(daemon.log, 'Executed.') === 4)
  expect(idsOf(worker.executions())).toEqual(ids)
  expect(count(daemon.log, LOST)).toBe(0)
})

test('--ack dispatched: a daemon that is killed while the pool is away loses nothing', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const pool = await ownPool()
  const worker = workerThat('')
  await pool.stop()
  await publishAll(broker, queue, numbers(6), (index) => ({ messageId: `M-${index + 1}` }))
  const settings = { socket: pool.socket, script: worker.path }
  const first = await startDaemon(settings)
  await eventually('it holds four', async () => (await countsOf(broker, queue))?.unacked === 4)
  await first.kill()
  await pool.start()
  const second = await startDaemon(settings)
  await eventually('all are executed', () => count(second.log, 'Executed.') === 6)
  expect(idsOf(worker.executions())).toEqual(numbers(6).map(({ number }) => `M-${number}`))
})

test('--ack dispatched: what runs when its daemon is killed runs on, unless it sends output then', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const pool = await ownPool({ children: 2 })
  const [folder, notes] = [temporaryFolder('release'), join(temporaryFolder('notes'), 'ended')]
  const worker = workerThat(
    `if (isset($_POST['waits'])) { ${waitForFile(`${folder}/now`)} }
     if (($_POST['waits'] ?? '') === 'sends') { echo str_repeat('x', 100_000); flush(); }
     file_put_contents('${notes}', $_SERVER['AMQP_MESSAGE_ID'] . "\\n", FILE_APPEND);`,
  )
  const bodies = [{ waits: 'silent' }, { waits: 'sends' }]
  await publishAll(broker, queue, bodies, (index) => ({ messageId: bodies[index]?.waits ?? '' }))
  const settings = { socket: pool.socket, script: worker.path }
  const first = await startDaemon(settings)
  await eventually('both run', () => worker.executions().length === 2)
  await eventually('both are acked', async () => (await countsOf(broker, queue))?.unacked === 0)
  await first.kill()
  writeFileSync(join(folder, 'now'), '')
  // Both children serve the next ones, so both scripts have ended.
  const second = await startDaemon(settings)
  await publishAll(broker, queue, [{}, {}, {}], { messageId: 'next' })
  await eventually('the next are executed', () => count(second.log, 'Executed.') === 3)
  await eventually('all that may has ended', () => notesIn(notes).length >= 4)
  expect(notesIn(notes)).toEqual(['next', 'next', 'next', 'silent'])
})

const notesIn = (file: string) => readFileSync(file, 'utf8').trim().split('\n').sort()
