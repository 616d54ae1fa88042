import { expect } from 'vitest'
import { BrokerList } from '../../src/amqp/broker-list.ts'
import { parseBrokerUrl } from '../../src/amqp/broker-url.ts'
import { Connections } from '../../src/amqp/connections.ts'
import { ConfirmPublisher } from '../../src/amqp/publisher.ts'
import { delayQueue } from '../../src/amqp/queue.ts'
import { closeConnection } from '../support/broker-connections.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { publishAll } from '../support/messages.ts'
import { countsOf, expectCounts, readyIn } from '../support/queue-counts.ts'
import { tellNobody } from '../support/recording.ts'
import { workerThat } from '../support/worker-script.ts'

/* The queues of the daemon's own: absent, deleted, declared by somebody else in another way. */

const AGAIN = [
  '--ack',
  'completed',
  '--retry-delay',
  '100ms',
  '--retry-max-delay',
  '200ms',
  '--max-attempts',
  '2',
]
const REPEATED = 'Cannot publish the copy of a message'
const failsOnce = () => workerThat('http_response_code($attempt === 1 ? 503 : 200);').path

test('a retry queue that is deleted in mid-run is declared again', async ({ broker, queue, startDaemon }) => {
  const daemon = await startDaemon({ script: failsOnce(), args: AGAIN })
  await publishAll(broker, queue, [{}], { messageId: 'M-1' })
  await daemon.waitForLine('Executed.')
  await broker.api('DELETE', `/queues/%2F/${queue}.retry.100`)
  await publishAll(broker, queue, [{}], { messageId: 'M-2' })
  await daemon.waitForLine(
    ({ message, message_id: messageId }) => message === 'Executed.' && messageId === 'M-2',
  )
  const [line, ...others] = daemon.log.filter(({ message }) => message.startsWith(REPEATED))
  expect(others).toEqual([])
  expect(line).toMatchObject({
    outcome: 'retry',
    message_id: 'M-2',
    copy_to: `${queue}.retry.100`,
    cause: expect.stringContaining('it was returned'),
  })
})

test('a retry queue with other arguments: exit 78 at the start, and the log says what to do', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const other = { durable: true, arguments: { 'x-message-ttl': 7_000 } }
  await broker.api('PUT', `/queues/%2F/${queue}.retry.100`, other)
  await publishAll(broker, queue, [{}])
  const daemon = await startDaemon({ script: failsOnce(), args: AGAIN })
  expect(await daemon.exited).toMatchObject({ code: 78 })
  const reason = daemon.log.at(-1)?.['reason']
  expect(reason).toContain(`the broker refuses queue "${queue}.retry.100" (--retry-delay, --retry-max-delay)`)
  expect(reason).toContain('PRECONDITION_FAILED')
  expect(reason).toContain('delete the queue when it is empty, or choose other delays')
  expect(reason).toContain('x-message-ttl=100')
  await expectCounts(broker, queue, { ready: 1, unacked: 0 })
})

test('one that gets other arguments later: the message waits unacked, and then it goes on', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const daemon = await startDaemon({ script: failsOnce(), args: AGAIN })
  await daemon.waitForLine('Consuming.')
  const other = { durable: true, arguments: { 'x-message-ttl': 7_000 } }
  await broker.api('DELETE', `/queues/%2F/${queue}.retry.100`)
  await broker.api('PUT', `/queues/%2F/${queue}.retry.100`, other)
  // So that it looks again.
  await closeConnection(broker, `${daemon.log[0]?.['daemon_id']} publisher`)
  await publishAll(broker, queue, [{}])
  const line = await daemon.waitForLine(({ message, cause }) =>
    Boolean(message.startsWith(REPEATED) && String(cause).includes('PRECONDITION_FAILED')),
  )
  expect(line['cause']).toContain(`the broker refuses queue "${queue}.retry.100"`)
  await eventually('it waits', async () => {
    expect(await countsOf(broker, queue)).toEqual({ ready: 0, unacked: 1 })
    return true
  })
  await broker.api('DELETE', `/queues/%2F/${queue}.retry.100`)
  await daemon.waitForLine('Executed.')
})

test('--no-declare with --ack completed: every missing queue is named with its arguments, exit 78', async ({
  broker,
  queue,
  startDaemon,
}) => {
  await broker.api('PUT', `/queues/%2F/${queue}.retry.100`, { durable: true })
  const daemon = await startDaemon({ args: [...AGAIN, '--no-declare'] })
  expect(await daemon.exited).toMatchObject({ code: 78 })
  const reason = String(daemon.log.at(-1)?.['reason'])
  expect(reason).toContain(`"${queue}" (durable), "${queue}.dead" (durable), "${queue}.retry.200" (durable, `)
  for (const argument of [
    'x-queue-type="quorum"',
    'x-message-ttl=200',
    'x-dead-letter-exchange=""',
    `x-dead-letter-routing-key="${queue}"`,
    'x-dead-letter-strategy="at-least-once"',
    'x-overflow="reject-publish"',
  ]) {
    expect(reason).toContain(argument)
  }
  expect(reason).not.toContain('.retry.100')
  const names = (await broker.api<{ name: string }[]>('GET', '/queues/%2F')).map(({ name }) => name)
  expect(names.filter((name) => name.startsWith(queue))).toEqual([`${queue}.retry.100`])
})

test('--no-declare with all of them there works, and declares nothing', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const rest = (delay: number) => ({
    durable: true,
    arguments: {
      'x-queue-type': 'quorum',
      'x-message-ttl': delay,
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': queue,
    },
  })
  for (const [name, how] of [
    [queue, { durable: true }],
    [`${queue}.dead`, { durable: true }],
    [`${queue}.retry.100`, rest(100)],
    [`${queue}.retry.200`, rest(200)],
  ] as const) {
    await broker.api('PUT', `/queues/%2F/${name}`, how)
  }
  await publishAll(broker, queue, [{}, 'not JSON'])
  const daemon = await startDaemon({ script: failsOnce(), args: [...AGAIN, '--no-declare'] })
  await daemon.waitForLine('Executed.')
  await daemon.waitForLine('Dead-lettered.')
  expect(await readyIn(broker, `${queue}.dead`)).toBe(1)

  // What is deleted later is waited for, not declared.
  await broker.api('DELETE', `/queues/%2F/${queue}.retry.100`)
  await publishAll(broker, queue, [{}], { messageId: 'M-2' })
  const line = await daemon.waitForLine('--no-declare forbids to declare')
  expect(line).toMatchObject({ message_id: 'M-2', copy_to: `${queue}.retry.100` })
  await broker.api('PUT', `/queues/%2F/${queue}.retry.100`, rest(100))
  await daemon.waitForLine(
    ({ message, message_id: messageId }) => message === 'Executed.' && messageId === 'M-2',
  )
  await eventually('nothing is left', async () => (await readyIn(broker, queue)) === 0)
})

test('many that need a queue at once declare it once: the broker refuses none of their messages', async ({
  broker,
  queue,
}) => {
  for (const name of Array.from({ length: 15 }, (_, index) => `${queue}.retry.${index + 1}`)) {
    const topology = { queues: [delayQueue(name, 60_000, queue)], declare: true }
    const options = {
      brokers: new BrokerList([parseBrokerUrl(broker.url)], tellNobody),
      connections: new Connections(queue),
      topology,
    }
    const publisher = new ConfirmPublisher(options, tellNobody)
    try {
      const message = { queue: name, properties: {}, headers: [], body: Buffer.from('{}') }
      // Not all in one turn, or the second declare would not meet the first one half done.
      const late = (milliseconds: number) =>
        new Promise((resolve) => setTimeout(resolve, milliseconds)).then(() => publisher.publish(message))
      await Promise.all([0, 2, 4, 6, 8].map(late))
    } finally {
      await publisher.close()
    }
  }
})
