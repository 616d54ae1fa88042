import { connect } from 'amqplib'
import { expect } from 'vitest'
import type { Broker } from '../support/broker-api.ts'
import { count, HOLDING } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { expectCounts, readyIn } from '../support/queue-counts.ts'
import { workerThat } from '../support/worker-script.ts'

/*
 * A quorum queue counts how often a message has come back, and drops what comes back too often: from RabbitMQ 4 on after 20
 * times, unless somebody says otherwise. Waiting for a pool must not use that up.
 */

/** What RabbitMQ 4 does by default, said to all versions. */
const LIMITED = { durable: true, arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 20 } }
const RENEWED = 'Put back into its queue as a new message.'

/** Has the first message of the queue handed out so many times, to somebody who goes without settling it. */
async function handOut(broker: Broker, queue: string, times: number): Promise<void> {
  const connection = await connect(broker.url)
  try {
    for (let time = 0; time < times; time += 1) {
      const channel = await connection.createChannel()
      // A channel that is closed gives back what it had a moment later.
      await eventually(`it is there, time ${time + 1}`, () => channel.get(queue))
      await channel.close()
    }
  } finally {
    await connection.close()
  }
}

test.for(['dispatched', 'completed'])(
  '--ack %s: what came back often while the pool was away is executed once, when it is there',
  async (ack, { broker, queue, ownPool, startDaemon }) => {
    const pool = await ownPool()
    await pool.stop()
    const worker = workerThat('')
    await broker.api('PUT', `/queues/%2F/${queue}`, LIMITED)
    await broker.api('PUT', `/queues/%2F/${queue}.dead`, { durable: true })
    await broker.api('POST', '/exchanges/%2F/amq.default/publish', {
      routing_key: queue,
      payload: '{}',
      payload_encoding: 'string',
      properties: { message_id: 'M-1', delivery_mode: 2 },
    })

    const settings = { socket: pool.socket, script: worker.path, args: ['--ack', ack] }
    for (let round = 0; round < 3; round += 1) {
      await handOut(broker, queue, 15)
      const daemon = await startDaemon(settings)
      await daemon.waitForLine(HOLDING)
      await daemon.waitForLine(RENEWED)
      daemon.signal('SIGTERM')
      expect(await daemon.exited).toMatchObject({ code: 0 })
      expect(await readyIn(broker, queue)).toBe(1)
    }

    await pool.start()
    const daemon = await startDaemon(settings)
    await daemon.waitForLine('Executed.')
    // Redelivered, since the last daemon has handed it back.
    expect(worker.executions()).toEqual(['M-1 1 1'])
  },
)

test('messages that say themselves that they came back often, into a queue that stays full, hold up nobody', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const worker = workerThat('')
  const full = { durable: true, arguments: { 'x-overflow': 'reject-publish' } }
  await broker.api('PUT', `/queues/%2F/${queue}`, full)
  const connection = await connect(broker.url)
  const channel = await connection.createConfirmChannel()
  const forged = { messageId: 'forged', persistent: true, headers: { 'x-delivery-count': 10 } }
  for (let each = 0; each < 4; each += 1) channel.sendToQueue(queue, Buffer.from('{}'), forged)
  for (let each = 0; each < 50; each += 1) {
    channel.sendToQueue(queue, Buffer.from('{}'), { messageId: 'good', persistent: true })
  }
  await channel.waitForConfirms()
  await connection.close()
  // From now on it takes nothing, as one that its publishers keep full.
  const policy = `/policies/%2F/${queue}`
  await broker.api('PUT', policy, {
    pattern: `^${queue}$`,
    definition: { 'max-length': 0 },
    'apply-to': 'queues',
  })
  try {
    await eventually('it is full', async () => {
      const [found] = (await broker.api<{ name: string; policy?: string }[]>('GET', '/queues/%2F')).filter(
        ({ name }) => name === queue,
      )
      return found?.policy === queue
    })
    const daemon = await startDaemon({ script: worker.path, args: ['--prefetch', '4'] })
    await eventually('the good ones are executed', () => count(daemon.log, 'Executed.') >= 50)
    daemon.signal('SIGTERM')
    expect(await daemon.exited).toMatchObject({ code: 0 })
    const executed = worker.executions().filter((line) => line.startsWith('forged'))
    // Whichever broker it is: it may drop a header that only it may set.
    await expectCounts(broker, queue, { ready: 4 - executed.length, unacked: 0 })
  } finally {
    await broker.api('DELETE', policy)
  }
  const next = await startDaemon({ script: worker.path })
  await eventually('nothing is left', async () => (await readyIn(broker, queue)) === 0)
  next.signal('SIGTERM')
  await next.exited
  const executed = worker.executions().map((line) => line.split(' ')[0])
  expect(executed.sort()).toEqual([...Array(4).fill('forged'), ...Array(50).fill('good')])
})
