import { expect } from 'vitest'
import type { Broker } from '../support/broker-api.ts'
import { count, outcomesOf } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { numbers, publishAll, takeAll } from '../support/messages.ts'
import { readRecords, recordScript } from '../support/records.ts'
import { workerThat } from '../support/worker-script.ts'

/* With `--ack completed` what has failed rests in a queue of ours, and comes back to be executed again. */

const AGAIN = ['--ack', 'completed', '--retry-delay', '100ms', '--retry-max-delay', '1s']

/** Writes down what it is given, and fails until attempt number `succeedsAt`. */
const failing = () =>
  workerThat(
    `require '${recordScript}'; http_response_code($attempt < (int) ($_POST['succeedsAt'] ?? 1) ? 503 : 200);`,
  ).path

interface DeclaredQueue {
  readonly name: string
  readonly type: string
  readonly durable: boolean
  readonly auto_delete: boolean
  readonly arguments: Readonly<Record<string, unknown>>
}

/** The retry queues of a queue, by delay. */
async function retryQueues(broker: Broker, queue: string): Promise<DeclaredQueue[]> {
  const all = await broker.api<DeclaredQueue[]>('GET', '/queues/%2F')
  const delay = ({ name }: DeclaredQueue) => Number(name.split('.').at(-1))
  return all
    .filter(({ name }) => name.startsWith(`${queue}.retry.`))
    .sort((one, other) => delay(one) - delay(other))
}

test('a message is executed until it succeeds, and each worker is told which attempt it is', async ({
  broker,
  queue,
  sharedPool,
  startDaemon,
}) => {
  await publishAll(broker, queue, [{ succeedsAt: 3 }], { messageId: 'M-1', headers: { 'x-tenant': 'acme' } })
  const daemon = await startDaemon({ script: failing(), args: [...AGAIN, '--max-attempts', '4'] })
  await daemon.waitForLine('Executed.')

  expect(outcomesOf(daemon.log, 'M-1')).toMatchObject([
    { message: 'To be executed again.', outcome: 'retry', attempt: 1, status: 503, delay_ms: 100 },
    { message: 'To be executed again.', outcome: 'retry', attempt: 2, status: 503, delay_ms: 200 },
    { message: 'Executed.', outcome: 'executed', attempt: 3, status: 200 },
  ])
  const records = readRecords(sharedPool.workerLog, queue).map(({ params }) => params)
  expect(records.map((params) => [params['AMQP_ATTEMPT'], params['AMQP_MAX_ATTEMPTS']])).toEqual([
    ['1', '4'],
    ['2', '4'],
    ['3', '4'],
  ])
  expect(new Set(records.map((params) => params['AMQP_EXECUTION_ID'])).size).toBe(3)
  expect(JSON.parse(records[2]?.['AMQP_HEADERS'] ?? '')).toMatchObject({
    'x-tenant': 'acme',
    'x-fpm-bridge-reason': 'the worker answered with status 503',
    'x-fpm-bridge-status': 503,
  })
  // All before the first was needed, and each so that a crash of the broker loses nothing of it.
  expect(await retryQueues(broker, queue)).toMatchObject(
    [100, 200, 400, 800, 1000].map((delay) => ({
      name: `${queue}.retry.${delay}`,
      type: 'quorum',
      durable: true,
      auto_delete: false,
      arguments: {
        'x-queue-type': 'quorum',
        'x-message-ttl': delay,
        'x-dead-letter-exchange': '',
        'x-dead-letter-routing-key': queue,
        'x-dead-letter-strategy': 'at-least-once',
        'x-overflow': 'reject-publish',
      },
    })),
  )
})

test('what fails in --max-attempts attempts is dead-lettered with the last of its reasons', async ({
  broker,
  queue,
  sharedPool,
  startDaemon,
}) => {
  await publishAll(broker, queue, [{ succeedsAt: 9 }], { messageId: 'M-1' })
  const daemon = await startDaemon({ script: failing(), args: [...AGAIN, '--max-attempts', '3'] })
  await daemon.waitForLine('Dead-lettered.')
  expect(readRecords(sharedPool.workerLog, queue)).toHaveLength(3)
  const [copy, ...others] = await takeAll(broker, `${queue}.dead`)
  expect(others).toEqual([])
  expect(copy?.content.toString()).toBe('{"succeedsAt":9}')
  expect(copy?.properties).toMatchObject({ messageId: 'M-1', deliveryMode: 2 })
  expect(copy?.properties.headers).toMatchObject({
    'x-fpm-bridge-attempt': 3,
    'x-fpm-bridge-reason': 'attempt 3 of 3: the worker answered with status 503',
    'x-fpm-bridge-queue': queue,
    'x-fpm-bridge-routing-key': queue,
  })
})

test.for<[forged: unknown, attempts: string[]]>([
  [99, ['3']],
  [2 ** 40, ['3']],
  [-1, ['1', '2', '3']],
  ['abc', ['1', '2', '3']],
  [1.5, ['1', '2', '3']],
])(
  'a forged x-fpm-bridge-attempt of %s is believed up to the limit',
  async ([forged, attempts], { broker, queue, sharedPool, startDaemon }) => {
    await publishAll(broker, queue, [{ succeedsAt: 9 }], { headers: { 'x-fpm-bridge-attempt': forged } })
    const daemon = await startDaemon({ script: failing(), args: [...AGAIN, '--max-attempts', '3'] })
    await daemon.waitForLine('Dead-lettered.')
    const seen = readRecords(sharedPool.workerLog, queue).map(({ params }) => params['AMQP_ATTEMPT'])
    expect(seen).toEqual(attempts)
  },
)

test('thirty that fail at once are published without a refusal, each once', async ({
  broker,
  queue,
  sharedPool,
  startDaemon,
}) => {
  await publishAll(broker, queue, Array(30).fill({ succeedsAt: 2 }))
  const args = [...AGAIN, '--concurrency', '8']
  const daemon = await startDaemon({ script: failing(), args })
  await eventually('all are executed', () => count(daemon.log, 'Executed.') === 30)
  expect(daemon.log.filter(({ level }) => level === 'error')).toEqual([])
  const attempts = readRecords(sharedPool.workerLog, queue).map(({ params }) => params['AMQP_ATTEMPT'])
  expect([...attempts].sort()).toEqual([...Array(30).fill('1'), ...Array(30).fill('2')])
})

test('what fails does not hold up the others, nor change their order', async ({
  broker,
  queue,
  sharedPool,
  startDaemon,
}) => {
  const bodies = numbers(20).map(({ number }) => ({ number, succeedsAt: number % 5 === 0 ? 2 : 1 }))
  await publishAll(broker, queue, bodies)
  const daemon = await startDaemon({ script: failing(), args: [...AGAIN, '--concurrency', '1'] })
  await eventually('all are executed', () => count(daemon.log, 'Executed.') === 20)
  const records = readRecords(sharedPool.workerLog, queue)
  const at = (attempt: string) =>
    records
      .filter(({ params }) => params['AMQP_ATTEMPT'] === attempt)
      .map(({ post }) => Number(post['number']))
  expect(at('1')).toEqual(numbers(20).map(({ number }) => number))
  expect(at('2')).toEqual([5, 10, 15, 20])
})

test('with the default delays it rests 1 s, then 2 s: never more than one execution a second', async ({
  broker,
  queue,
  sharedPool,
  startDaemon,
}) => {
  await publishAll(broker, queue, [{ succeedsAt: 9 }])
  const args = ['--ack', 'completed', '--max-attempts', '3']
  const daemon = await startDaemon({ script: failing(), args })
  await daemon.waitForLine('Dead-lettered.')
  const starts = readRecords(sharedPool.workerLog, queue).map(({ started }) => started)
  expect(starts).toHaveLength(3)
  // The broker never lets a message go before its time; how much later it comes is not to be decided here.
  const rests = starts.slice(1).map((start, index) => start - (starts[index] ?? 0))
  expect(rests[0]).toBeGreaterThan(0.95)
  expect(rests[1]).toBeGreaterThan(1.95)
})

test('the worker is told the exchange and the routing key of the original, in each attempt', async ({
  broker,
  queue,
  sharedPool,
  startDaemon,
}) => {
  const exchange = `${queue}.events`
  await broker.api('PUT', `/exchanges/%2F/${exchange}`, { type: 'topic', auto_delete: true })
  await broker.api('PUT', `/queues/%2F/${queue}`, { durable: true })
  await broker.api('POST', `/bindings/%2F/e/${exchange}/q/${queue}`, { routing_key: 'order.*' })
  await broker.api('POST', `/exchanges/%2F/${exchange}/publish`, {
    routing_key: 'order.placed',
    payload: '{"succeedsAt":3}',
    payload_encoding: 'string',
    properties: {},
  })
  const daemon = await startDaemon({ script: failing(), args: AGAIN })
  await daemon.waitForLine('Executed.')
  const seen = readRecords(sharedPool.workerLog, queue).map(({ params }) => [
    params['AMQP_ATTEMPT'],
    params['AMQP_EXCHANGE'],
    params['AMQP_ROUTING_KEY'],
    params['AMQP_ORIGINAL_EXCHANGE'],
    params['AMQP_ORIGINAL_ROUTING_KEY'],
  ])
  expect(seen).toEqual([
    ['1', exchange, 'order.placed', undefined, undefined],
    ['2', '', queue, exchange, 'order.placed'],
    ['3', '', queue, exchange, 'order.placed'],
  ])
})
