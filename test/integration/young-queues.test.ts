import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'vitest'
import { startBroker } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { numbers, publishAll } from '../support/messages.ts'
import { readRecords, recordScript } from '../support/records.ts'

/*
 * RabbitMQ confirms what it takes into a quorum queue that it will have forgotten when it is killed. Which moments those are
 * `npx tsx bench/young-queues.ts` measures.
 */

test('a broker that is killed just after the first retries of a ladder that was just declared loses none of them', async ({
  queue,
  sharedPool,
  startDaemon,
}) => {
  const broker = await startBroker()
  try {
    const args = ['--ack', 'completed', '--retry-delay', '1s', '--max-attempts', '9', '--concurrency', '4']
    const settings = { url: broker.url, script: recordScript, args }
    await publishAll(broker, queue, [])
    const daemon = await startDaemon(settings)
    await daemon.waitForLine('Consuming.')
    await publishAll(broker, queue, [{ status: 503, number: 0 }])
    // Its copy is confirmed, and the original acked.
    await daemon.waitForLine('To be executed again.')
    await pause(100)
    await broker.kill()
    await broker.start()
    const executions = (number: number): number =>
      readRecords(sharedPool.workerLog, queue).filter(({ post }) => Number(post['number']) === number).length
    await eventually('it is executed again', () => executions(0) > 1, { within: 60_000 })
    await publishAll(broker, queue, numbers(20))
    await eventually('all others are executed', () => {
      expect(numbers(20).map(({ number }) => executions(number))).toEqual(Array(20).fill(1))
      return true
    })
    await daemon.kill()
  } finally {
    await broker.close()
  }
})
