import { afterAll, beforeAll, expect } from 'vitest'
import { type OwnBroker, startBroker } from '../support/broker.ts'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { numbers, publishAll, takeAll } from '../support/messages.ts'
import { expectCounts, readyIn } from '../support/queue-counts.ts'
import { SharedBridges } from '../support/shared-bridges.ts'
import { workerThat } from '../support/worker-script.ts'

/*
 * A broker whose limits have been lowered since a message came: its copy cannot be published. So RabbitMQ 4 does with
 * max_message_size, which is 16 MiB there. The message is neither lost nor executed again and again, and the others run.
 */

let broker: OwnBroker
beforeAll(async () => {
  broker = await startBroker()
})
afterAll(() => broker?.close())

const PARKED =
  'Parked: the message stays with the broker, unacked, until its copy can be published. It is not executed again.'
const BACK = 'A parked message is back, and stays parked.'
const ENDED = 'The session with the broker has ended; opening another.'
const SIZE = 2 * 1024 * 1024
const GOOD = 20

test.for([
  { ack: 'completed', body: JSON.stringify({ large: 'x'.repeat(SIZE) }), executed: ['large 1 0'] },
  // No JSON, and so not executed at all.
  { ack: 'dispatched', body: 'x'.repeat(SIZE), executed: [] },
])(
  '--ack $ack: a body beyond max_message_size is parked, run no more than once, and kept; the others run',
  async ({ ack, body, executed }, { queue, startDaemon }) => {
    const worker = workerThat(`if (isset($_POST['large'])) http_response_code(422);`)
    await broker.set('max_message_size', 2 * SIZE)
    await publishAll(broker, queue, [body], { messageId: 'large' })
    await broker.set('max_message_size', SIZE / 2)
    await publishAll(broker, queue, numbers(GOOD), { messageId: 'good' })
    const args = ['--ack', ack, '--concurrency', '1', '--prefetch', '1']
    const daemon = await startDaemon({ url: broker.url, script: worker.path, args })
    const line = await daemon.waitForLine(PARKED)
    expect(line).toMatchObject({
      message_id: 'large',
      cause: expect.stringContaining('larger than configured max size'),
    })
    await eventually('the others are executed', () => count(daemon.log, 'Executed.') === GOOD)
    expect(worker.executions().filter((one) => one.startsWith('large'))).toEqual(executed)
    expect(count(daemon.log, ENDED)).toBe(0)
    daemon.signal('SIGTERM')
    expect(await daemon.exited).toMatchObject({ code: 0 })
    await expectCounts(broker, queue, { ready: 1, unacked: 0 })
  },
)

test('a parked message that outlasts the broker’s patience comes back, and is not executed again', async ({
  queue,
  startDaemon,
}) => {
  const worker = workerThat(`if (isset($_POST['large'])) http_response_code(422);`)
  await broker.set('max_message_size', 2 * SIZE)
  // From RabbitMQ 4.3 on, classic queues have all the patience there is.
  await publishAll(
    broker,
    queue,
    [{ large: 'x'.repeat(SIZE) }],
    (index) => ({ messageId: `large-${index}` }),
    'quorum',
  )
  await broker.set('max_message_size', SIZE / 2)
  await broker.set('consumer_timeout', 1_500)
  // By default a channel is looked at each minute.
  await broker.set('channel_tick_interval', 200)
  try {
    const daemon = await startDaemon({ url: broker.url, script: worker.path, args: ['--ack', 'completed'] })
    await daemon.waitForLine(PARKED)
    await eventually('it has come back', () => count(daemon.log, BACK) >= 3)
    await publishAll(broker, queue, numbers(GOOD), { messageId: 'good' }, 'quorum')
    await eventually('the others are executed', () => count(daemon.log, 'Executed.') === GOOD)
    expect(worker.executions().filter((one) => one.startsWith('large'))).toEqual(['large-0 1 0'])
  } finally {
    await broker.set('consumer_timeout', 1_800_000)
  }
})

test('headers that fill the frames of a broker are left out of the copy, and the others run', async ({
  queue,
  startDaemon,
}) => {
  const worker = workerThat(`if (isset($_POST['large'])) http_response_code(422);`)
  await broker.set('frame_max', 131_072)
  const headers = { large: 'h'.repeat(15_900), small: 'yes' }
  await publishAll(broker, queue, [{ large: true }], { messageId: 'large', headers })
  await broker.set('frame_max', 16_384)
  try {
    await publishAll(broker, queue, numbers(GOOD), { messageId: 'good' })
    const args = ['--ack', 'completed', '--concurrency', '1', '--prefetch', '1']
    const daemon = await startDaemon({ url: broker.url, script: worker.path, args })
    await daemon.waitForLine('Dead-lettered.')
    await eventually('the others are executed', () => count(daemon.log, 'Executed.') === GOOD)
    expect(worker.executions().filter((one) => one.startsWith('large'))).toEqual(['large 1 0'])
    const [copy] = await takeAll(broker, `${queue}.dead`)
    expect(copy?.properties).toMatchObject({
      messageId: 'large',
      headers: { small: 'yes', 'x-fpm-bridge-headers-dropped': 'large' },
    })
  } finally {
    await broker.set('frame_max', 131_072)
  }
})

test('what the broker refuses of one publisher fails, loses and doubles nothing of another', async () => {
  await broker.set('max_message_size', 65_536)
  const bridges = new SharedBridges([broker.url], 'D-publishers')
  try {
    const [a, b] = [await bridges.start('a'), await bridges.start('b')]
    const ofB: Promise<string>[] = []
    const ofA: Promise<string>[] = []
    for (let n = 0; n < 20; n += 1) {
      ofB.push(...Array.from({ length: 20 }, () => b.publish()))
      ofA.push(a.publish(70_000))
      await Promise.allSettled(ofA)
    }
    expect(await a.publish()).toBe('published')
    await broker.api('DELETE', '/queues/%2F/a.dead')
    ofB.push(...Array.from({ length: 20 }, () => b.publish()))
    expect(await a.publish()).toBe('UNROUTABLE')
    expect(new Set(await Promise.all(ofB))).toEqual(new Set(['published']))
    expect(new Set(await Promise.all(ofA))).toEqual(new Set(['BODY_TOO_LARGE']))
    expect(await readyIn(broker, 'b.dead')).toBe(ofB.length)
    expect(b.told.of('session-ended')).toEqual([])
  } finally {
    await bridges.close()
  }
})
