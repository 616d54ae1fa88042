import { setTimeout as pause } from 'node:timers/promises'
import { connect } from 'amqplib'
import { expect } from 'vitest'
import { delayQueue } from '../../src/amqp/queue.ts'
import { retryQueue } from '../../src/bridge/retry.ts'
import { startBroker } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { numbers, publishAll } from '../support/messages.ts'
import { readyIn } from '../support/queue-counts.ts'
import { readRecords, recordScript } from '../support/records.ts'

const MESSAGES = 4_000
/** Milliseconds; long enough to fill the queue before the first of them leaves it. */
const DELAY = 3_000

test('a broker that is killed while thousands of messages leave a retry queue loses none of them', async ({
  queue,
  sharedPool,
  startDaemon,
}) => {
  const broker = await startBroker()
  try {
    const args = ['--ack', 'completed', '--retry-delay', `${DELAY}ms`, '--prefetch', '50']
    const settings = { url: broker.url, script: recordScript, args }
    // One message has the daemon declare what it needs.
    await publishAll(broker, queue, [{ status: 503, number: 0 }])
    const first = await startDaemon(settings)
    await first.waitForLine('To be executed again.')
    await first.kill()

    const rest = delayQueue(retryQueue(queue, DELAY), DELAY, queue)
    await fill(broker.url, rest.name, rest.arguments)
    await eventually('all have left', async () => (await readyIn(broker, queue)) > MESSAGES)
    await pause(400)
    await broker.kill()
    await broker.start()

    await startDaemon(settings)
    const executed = () =>
      new Set(readRecords(sharedPool.workerLog, queue).map(({ post }) => Number(post['number'])))
    await eventually('all are executed', () => executed().size > MESSAGES)
    expect([...executed()].sort((one, other) => one - other)).toEqual([
      0,
      ...numbers(MESSAGES).map(({ number }) => number),
    ])
  } finally {
    await broker.close()
  }
})

/** As copies come in: persistent and confirmed. The arguments are those of the daemon, or the broker would refuse. */
async function fill(
  url: string,
  queue: string,
  given: Readonly<Record<string, string | number>>,
): Promise<void> {
  const connection = await connect(url)
  try {
    const channel = await connection.createConfirmChannel()
    await channel.assertQueue(queue, { durable: true, arguments: given })
    for (const body of numbers(MESSAGES)) {
      channel.sendToQueue(queue, Buffer.from(JSON.stringify(body)), { persistent: true })
    }
    await channel.waitForConfirms()
  } finally {
    await connection.close()
  }
}
