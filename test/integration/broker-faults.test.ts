import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect } from 'vitest'
import { type OwnBroker, startBroker } from '../support/broker.ts'
import { closeConnection } from '../support/broker-connections.ts'
import { startCommander } from '../support/commander.ts'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { putMarker } from '../support/marker.ts'
import { numbers, publishAll } from '../support/messages.ts'
import { countsOf, readyIn } from '../support/queue-counts.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { waitForFile, workerThat } from '../support/worker-script.ts'

/* What happens to a whole broker, and so to one of our own. */

const ENDED = 'The session with the broker has ended; opening another.'
const AGAIN = 'Delivered again while it is executed: that execution goes on, and settles it.'
const BLOCKED = 'The broker takes no messages at the moment; publishing waits.'

let broker: OwnBroker
beforeAll(async () => {
  broker = await startBroker()
})
afterAll(() => broker?.close())

test('a broker that is stopped in order and started again is consumed from within seconds', async ({
  queue,
  startDaemon,
}) => {
  const daemon = await startDaemon({ url: broker.url })
  await daemon.waitForLine('Consuming.')
  // What stop_app and start_app do.
  await broker.evaluate('rabbit:stop(), rabbit:start().')
  await eventually('it consumes again', () => count(daemon.log, 'Consuming.') === 2)
  expect(count(daemon.log, ENDED)).toBe(1)
  await publishAll(broker, queue, numbers(1))
  await daemon.waitForLine('Executed.')
})

test('a pause outlives the broker and the daemon', async ({ queue, startDaemon }) => {
  const PAUSED = 'Paused. What is in flight goes on; everything else waits in the queue.'
  const RESUMED = 'Resumed: the queue is not paused any more.'
  const note = { by: 'ops@host', at: '2026-01-02T03:04:05Z', reason: 'a migration' }
  const worker = workerThat('')
  const settings = { url: broker.url, script: worker.path, args: ['--control', '--ack', 'completed'] }
  await publishAll(broker, queue, numbers(2))
  await putMarker(broker, queue, note)
  const first = await startDaemon(settings)
  await first.waitForLine(PAUSED)
  await broker.evaluate('rabbit:stop(), rabbit:start().')
  await first.waitForLine(ENDED)
  const commander = await startCommander(broker)
  await eventually('it has a session, and is paused', async () => {
    const { bridges } = await commander.ask('ping', { queue })
    return bridges[0]?.session === 'up' && bridges[0].state === 'paused'
  })
  await commander.hangUp()
  await first.kill()
  const second = await startDaemon(settings)
  expect(await second.waitForLine(PAUSED)).toMatchObject(note)
  // In which it would have taken something.
  await pause(1_000)
  expect([worker.executions().length, await readyIn(broker, queue)]).toEqual([0, 2])
  expect([count(first.log, PAUSED), count(first.log, RESUMED), count(second.log, RESUMED)]).toEqual([1, 0, 0])
})

test('in memory alarm a copy waits, and all else goes on: what succeeds is acked, no connection is lost', async ({
  queue,
  startDaemon,
}) => {
  const release = join(temporaryFolder('release'), 'now')
  const worker = workerThat(
    `if ($_POST['fails'] ?? false) { if ($attempt === 1) { ${waitForFile(release)} http_response_code(503); } }
     elseif ($_POST['first'] ?? false) { http_response_code($attempt === 1 ? 503 : 200); }
     else { ${waitForFile(release)} }`,
  )
  const daemon = await startDaemon({
    url: `${broker.url}?heartbeat=1`,
    script: worker.path,
    args: ['--ack', 'completed', '--retry-delay', '100ms'],
  })
  // What follows finds a connection that has published before.
  await publishAll(broker, queue, [{ first: true }], { messageId: 'M-first' })
  await daemon.waitForLine('Executed.')
  await publishAll(broker, queue, [{}, { fails: true }, {}], { messageId: 'M' })
  await eventually('all run', () => worker.executions().filter((line) => line === 'M 1 0').length === 3)
  await broker.evaluate('vm_memory_monitor:set_vm_memory_high_watermark(0.0001).')
  // Before it is raised everywhere, a copy would still get through.
  await eventually(
    'the alarm is raised',
    async () => (await broker.evaluate('rabbit_alarm:get_alarms().')) !== '[]',
  )
  try {
    writeFileSync(release, '')
    await daemon.waitForLine(BLOCKED)
    await eventually('two are acked', async () => {
      expect(await countsOf(broker, queue)).toEqual({ ready: 0, unacked: 1 })
      return true
    })
    // A line may come after the ack that it is about.
    await eventually('three are executed', () => count(daemon.log, 'Executed.') === 3)
    // Longer than a connection without heartbeats would live.
    await pause(3_000)
    expect(count(daemon.log, 'To be executed again.')).toBe(1)
  } finally {
    await broker.evaluate('vm_memory_monitor:set_vm_memory_high_watermark(0.9).')
  }
  await eventually('the third is executed', () => count(daemon.log, 'Executed.') === 4)
  expect(worker.executions().filter((line) => line.startsWith('M '))).toEqual([
    ...Array(3).fill('M 1 0'),
    'M 2 0',
  ])
  expect(daemon.log.filter(({ message }) => message === ENDED || message.startsWith('Cannot'))).toEqual([])
})

test('a script that outlasts the broker’s patience costs sessions, and is executed once all the same', async ({
  queue,
  startDaemon,
}) => {
  await broker.set('consumer_timeout', 1_500)
  // By default a channel is looked at each minute.
  await broker.set('channel_tick_interval', 200)
  const release = join(temporaryFolder('release'), 'now')
  const worker = workerThat(waitForFile(release))
  // From RabbitMQ 4.3 on, classic queues have all the patience there is.
  await broker.api('PUT', `/queues/%2F/${queue}`, { durable: true, arguments: { 'x-queue-type': 'quorum' } })
  await broker.api('POST', '/exchanges/%2F/amq.default/publish', {
    routing_key: queue,
    payload: '{}',
    payload_encoding: 'string',
    properties: { message_id: 'M-1', delivery_mode: 2 },
  })
  const args = ['--ack', 'completed', '--daemon-id', `D-${queue}`]
  const daemon = await startDaemon({ url: broker.url, script: worker.path, args })
  /** The last session but those that ran out of patience has ended, and it was delivered again after that. */
  const isBack = () => {
    const forced = daemon.log.findIndex(({ reason }) => String(reason).includes('CONNECTION_FORCED'))
    return forced >= 0 && count(daemon.log.slice(forced), AGAIN) > 0
  }
  await eventually('two sessions have ended', () => count(daemon.log, ENDED) >= 2)
  const { reason } = await daemon.waitForLine(ENDED)
  // Up to RabbitMQ 4.2 the channel is closed, and the broker says what its patience is; later the consumer is cancelled.
  if (!String(reason).includes('the broker cancelled the consumer')) {
    expect(reason).toMatch(
      /PRECONDITION_FAILED.*; --consumer-timeout and --timeout must stay below 1500 ms$/s,
    )
    const line = await daemon.waitForLine("The broker's consumer_timeout is shorter than --consumer-timeout")
    expect(line).toMatchObject({
      level: 'error',
      broker_consumer_timeout_ms: 1_500,
      consumer_timeout_ms: 1_800_000,
    })
    expect(daemon.log.filter(({ level }) => level === 'error')).toEqual([line])
  }
  // A channel keeps the patience that it was opened with.
  await broker.set('consumer_timeout', 1_800_000)
  await closeConnection(broker, `D-${queue}`)
  await eventually('it is here once more', isBack)
  writeFileSync(release, '')
  await daemon.waitForLine('Executed.')
  await eventually('nothing is left', async () => {
    expect(await countsOf(broker, queue)).toEqual({ ready: 0, unacked: 0 })
    return true
  })
  expect(worker.executions()).toEqual(['M-1 1 0'])
})
