import { connect, type Options } from 'amqplib'
import { expect } from 'vitest'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { publishAll, takeAll } from '../support/messages.ts'
import { readyIn } from '../support/queue-counts.ts'
import { workerThat } from '../support/worker-script.ts'

/* What a message brings along must neither keep it from being executed again, nor send its copy elsewhere. */

const AGAIN = ['--ack', 'completed', '--retry-delay', '100ms', '--max-attempts', '2']
const failsOnce = () => workerThat('http_response_code($attempt === 1 ? 503 : 200);')

/** As the broker writes it down when a message has expired in a queue. */
function expiredIn(queue: string): Record<string, unknown> {
  return {
    'x-death': [{ count: 1, exchange: '', queue, reason: 'expired', 'routing-keys': [queue] }],
  }
}

const BROUGHT: readonly [what: string, properties: (queue: string) => Options.Publish][] = [
  ['an expiration', () => ({ expiration: '60000' })],
  ['a CC that names its own queue', (queue) => ({ CC: [`${queue}.elsewhere`] })],
  ['almost 64 KiB of headers', () => ({ headers: { large: 'x'.repeat(65_400) } })],
  ['an x-death that names its own queue', (queue) => ({ headers: expiredIn(queue) })],
  ['a user_id', () => ({ userId: 'guest' })],
  ['a priority and a type', () => ({ priority: 9, type: 'greeting' })],
]

test.for(BROUGHT)(
  '%s: executed a second time, once',
  async ([, properties], { broker, queue, startDaemon }) => {
    const worker = failsOnce()
    await broker.api('PUT', `/queues/%2F/${queue}.elsewhere`, { durable: true })
    await publishAll(broker, queue, [{}], { messageId: 'M-1', ...properties(queue) })
    const sentTo = await readyIn(broker, `${queue}.elsewhere`)
    const daemon = await startDaemon({ script: worker.path, args: AGAIN })
    await daemon.waitForLine('Executed.')
    expect(worker.executions()).toEqual(['M-1 1 0', 'M-1 2 0'])
    daemon.signal('SIGTERM')
    expect(await daemon.exited).toMatchObject({ code: 0 })
    // A copy that had kept its CC would have been there, too.
    expect(await readyIn(broker, `${queue}.elsewhere`)).toBe(sentTo)
    expect(await readyIn(broker, queue)).toBe(0)
  },
)

// More than amqplib can write; the broker takes it from others.
test.for([64, 100])(
  '%i KiB of headers: executed a second time, once',
  async (size, { broker, queue, startDaemon }) => {
    const worker = failsOnce()
    await broker.api('PUT', `/queues/%2F/${queue}`, { durable: true })
    await broker.api('POST', '/exchanges/%2F/amq.default/publish', {
      routing_key: queue,
      payload: '{}',
      payload_encoding: 'string',
      properties: { message_id: 'M-1', delivery_mode: 2, headers: { large: 'x'.repeat(size * 1024) } },
    })
    const daemon = await startDaemon({ script: worker.path, args: AGAIN })
    await daemon.waitForLine('Executed.')
    expect(worker.executions()).toEqual(['M-1 1 0', 'M-1 2 0'])
  },
)

test('RabbitMQ 3 would drop what comes back with such an x-death; 4 believes no publisher', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const daemon = await startDaemon({ script: failsOnce().path, args: AGAIN })
  await publishAll(broker, queue, [{}])
  await daemon.waitForLine('Executed.')
  daemon.signal('SIGTERM')
  await daemon.exited
  const left = (await broker.majorVersion()) < 4 ? ['without'] : ['with x-death', 'without']
  // They leave the retry queue in the order in which they have come.
  const connection = await connect(broker.url)
  try {
    const channel = await connection.createConfirmChannel()
    const rest = (messageId: string, headers: Record<string, unknown>) =>
      channel.sendToQueue(`${queue}.retry.100`, Buffer.from('{}'), { persistent: true, messageId, headers })
    rest('with x-death', expiredIn(queue))
    rest('without', {})
    await channel.waitForConfirms()
    await eventually('all have come', async () => (await readyIn(broker, queue)) >= left.length)
  } finally {
    await connection.close()
  }
  expect((await takeAll(broker, queue)).map(({ properties }) => properties.messageId)).toEqual(left)
})

test('a user_id of somebody else', async ({ broker, queue, startDaemon }) => {
  const user = `${queue}-publisher`
  await broker.api('PUT', `/users/${user}`, { password: 'secret', tags: '' })
  try {
    const everything = { configure: '.*', write: '.*', read: '.*' }
    await broker.api('PUT', `/permissions/%2F/${user}`, everything)
    const url = broker.url.replace('guest:guest', `${user}:secret`)
    await publishAll({ url }, queue, [{}], { messageId: 'M-1', userId: user })
    const worker = workerThat('http_response_code(503); error_log($_SERVER["AMQP_USER_ID"] ?? "nobody");')
    const daemon = await startDaemon({ script: worker.path, args: AGAIN })
    await daemon.waitForLine('Dead-lettered.')
    expect(worker.executions()).toEqual(['M-1 1 0', 'M-1 2 0'])
    const [copy] = await takeAll(broker, `${queue}.dead`)
    expect(copy?.properties.userId).toBeUndefined()
    expect(copy?.properties.headers).toMatchObject({ 'x-fpm-bridge-original-user-id': user })
    expect(count(daemon.log, 'To be executed again.')).toBe(1)
    expect(daemon.log.filter(({ level }) => level === 'error')).toEqual([])
  } finally {
    await broker.api('DELETE', `/users/${user}`)
  }
})
