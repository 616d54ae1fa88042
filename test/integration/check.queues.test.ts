import { connect, type Options } from 'amqplib'
import { describe, expect } from 'vitest'
import { runBridge } from '../support/bridge-process.ts'
import type { Broker } from '../support/broker-api.ts'
import { test } from '../support/fixtures.ts'
import type { Given } from '../support/given.ts'
import { look, quotedIn } from '../support/looks.ts'

/*
 * Ways in which queues and rights can be wrong: each is found, with the remedy, which is applied, and then that point has passed.
 */

async function declare(broker: Broker, queue: string, how: Options.AssertQueue): Promise<void> {
  const connection = await connect(broker.url)
  try {
    await (await connection.createChannel()).assertQueue(queue, how)
  } finally {
    await connection.close()
  }
}

const remove = (broker: Broker, queue: string) =>
  broker.api('DELETE', `/queues/%2F/${encodeURIComponent(queue)}`)

describe.concurrent('rights', () => {
  /** The command of a remedy, as the management API takes it. */
  function permissionsIn(remedy: string) {
    const [, user, configure, write, read] =
      /^rabbitmqctl set_permissions -p \/ (\S+) '(.*)' '(.*)' '(.*)'$/.exec(remedy) ?? []
    expect(user, remedy).toBeDefined()
    return { user, configure, write, read }
  }

  const ALL = { configure: '.*', write: '.*', read: '.*' }

  for (const [what, lacking, point] of [
    ['to declare', 'configure', 'queues.exists'],
    ['to consume', 'read', 'queues.consume'],
    ['to publish', 'write', 'broker.publish'],
  ] as const) {
    test(`none ${what}: the command that gives all that are needed`, async ({ broker, queue }) => {
      const user = `${queue}-user`
      await broker.api('PUT', `/users/${user}`, { password: 's3cret', tags: '' })
      try {
        await broker.api('PUT', `/permissions/%2F/${user}`, { ...ALL, [lacking]: '' })
        const given = { url: broker.url.replace('guest:guest', `${user}:s3cret`), queue, ack: 'completed' }
        const before = await look(given)
        const found = before.one(point)
        expect(found).toMatchObject({ status: 'failed', fault: 'configuration' })
        const { user: named, ...permissions } = permissionsIn(found.remedy)
        expect(named).toBe(user)
        await broker.api('PUT', `/permissions/%2F/${user}`, permissions)
        const after = await look(given)
        expect(after.all.filter(({ area, status }) => area === 'queues' && status === 'failed')).toEqual([])
        for (const each of ['broker.publish', 'queues.exists', 'queues.consume', 'queues.retry'])
          expect(after.one(each).status, each).toBe('passed')
        // Of all that, nothing has been declared.
        const queues = await broker.queues()
        expect(queues.filter(({ name }) => name.startsWith(queue))).toEqual([])
      } finally {
        await broker.api('DELETE', `/users/${user}`)
      }
    })
  }
})

test('a queue that is not there, and may not be declared: declare it', async ({ broker, queue }) => {
  const given = { url: broker.url, queue, declare: 'false' }
  const found = (await look(given)).one('queues.exists', queue)
  expect(found).toMatchObject({ status: 'failed', fault: 'configuration' })
  expect(found.remedy).toBe('declare it (durable, classic), or leave --no-declare out')
  await declare(broker, queue, { durable: true })
  expect((await look(given)).one('queues.exists', queue).status).toBe('passed')
})

interface Way {
  readonly what: string
  readonly how: Options.AssertQueue
  readonly point: string
  readonly status: 'failed' | 'warned'
  readonly text: RegExp
  readonly remedy: RegExp
  readonly given?: Given
  /** As the remedy has it. */
  readonly right?: Options.AssertQueue
  readonly dead?: true
}

const DURABLE = { durable: true }
const withArguments = (given: Record<string, unknown>) => ({ durable: true, arguments: given })
const QUORUM = { 'x-queue-type': 'quorum' }

const WAYS: readonly Way[] = [
  {
    what: 'is auto-delete',
    how: { durable: true, autoDelete: true },
    point: 'keeps',
    status: 'failed',
    text: /it is auto-delete: the broker deletes it/,
    remedy: /^Empty and delete it, and have it declared anew/,
  },
  {
    what: 'is not durable',
    how: { durable: false },
    point: 'keeps',
    status: 'failed',
    text: /it is not durable/,
    remedy: /declared anew \(durable, with nothing else\)/,
  },
  {
    what: 'expires',
    how: withArguments({ 'x-expires': 600_000 }),
    point: 'keeps',
    status: 'failed',
    text: /it expires \(x-expires\)/,
    remedy: /^Empty and delete it/,
  },
  {
    what: 'is a stream',
    how: withArguments({ 'x-queue-type': 'stream' }),
    point: 'keeps',
    status: 'failed',
    text: /it is a stream/,
    remedy: /^Bind a classic or quorum queue to the exchange, and consume that/,
  },
  {
    what: 'is classic, where quorum is asked for',
    how: DURABLE,
    given: { 'queue-type': 'quorum' },
    point: 'type',
    status: 'warned',
    text: /it is a classic queue, and --queue-type is quorum/,
    remedy: /declared anew/,
    right: withArguments(QUORUM),
  },
  {
    what: 'drops its oldest messages when it is full',
    how: withArguments({ 'x-max-length': 1_000 }),
    point: 'overflow',
    status: 'warned',
    text: /beyond x-max-length=1000 it drops messages \(x-overflow=drop-head\)/,
    remedy: /or with x-overflow=reject-publish$/,
    right: withArguments({ 'x-max-length': 1_000, 'x-overflow': 'reject-publish' }),
  },
  {
    what: 'drops messages that are old',
    how: withArguments({ 'x-message-ttl': 60_000 }),
    point: 'expiry',
    status: 'warned',
    text: /x-message-ttl=60000 ms/,
    remedy: /declared anew without x-message-ttl$/,
  },
  {
    what: 'is of type quorum, and drops messages that are old',
    how: withArguments({ ...QUORUM, 'x-message-ttl': 60_000 }),
    given: { 'queue-type': 'quorum' },
    point: 'expiry',
    status: 'warned',
    text: /x-message-ttl=60000 ms/,
    remedy: /declared anew without x-message-ttl$/,
    right: withArguments(QUORUM),
  },
  {
    what: 'gives messages to one consumer only',
    how: withArguments({ 'x-single-active-consumer': true }),
    point: 'single-consumer',
    status: 'warned',
    text: /of several daemons, one gets messages/,
    remedy: /declared anew without x-single-active-consumer/,
  },
  {
    what: 'drops what comes back a few times',
    how: withArguments({ ...QUORUM, 'x-delivery-limit': 5 }),
    given: { 'queue-type': 'quorum' },
    point: 'delivery-limit',
    status: 'warned',
    text: /has come back 5 times, executed or not/,
    remedy: /with x-delivery-limit=20/,
    right: withArguments({ ...QUORUM, 'x-delivery-limit': 20 }),
  },
  {
    what: 'drops dead letters that are looked at',
    dead: true,
    how: withArguments({ ...QUORUM, 'x-delivery-limit': 20 }),
    given: { 'queue-type': 'quorum' },
    point: 'delivery-limit',
    status: 'warned',
    text: /whoever has looked at a dead letter 20 times loses it/,
    remedy: /declared anew without x-delivery-limit/,
    // RabbitMQ 4 has a limit of its own for quorum queues.
    right: DURABLE,
  },
]

describe.concurrent('a queue that', () => {
  for (const { what, how, point, status, text, remedy, given = {}, right = DURABLE, dead } of WAYS) {
    test(what, async ({ broker, queue }) => {
      const subject = dead ? `${queue}.dead` : queue
      await declare(broker, subject, how)
      const all = { url: broker.url, queue, ...given }
      const found = (await look(all)).one(`queues.${point}`, subject)
      expect(found.status).toBe(status)
      expect(found.text).toMatch(text)
      expect(found.remedy).toMatch(remedy)
      await remove(broker, subject)
      await declare(broker, subject, right)
      expect((await look(all)).one(`queues.${point}`, subject).status).toBe('passed')
    })
  }
})

describe('a retry queue', () => {
  const given = { ack: 'completed', 'retry-delay': '7s', 'retry-max-delay': '7s' }
  const rightFor = (queue: string) => ({
    'x-queue-type': 'quorum',
    'x-message-ttl': 7_000,
    'x-dead-letter-exchange': '',
    'x-dead-letter-routing-key': queue,
    'x-dead-letter-strategy': 'at-least-once',
    'x-overflow': 'reject-publish',
  })

  test('that is another one than it has to be: delete it', async ({ broker, queue }) => {
    const retry = `${queue}.retry.7000`
    const right = rightFor(queue)
    await declare(broker, retry, withArguments({ ...right, 'x-message-ttl': 9_000 }))
    const found = (await look({ url: broker.url, queue, ...given })).one('queues.retry', retry)
    expect(found).toMatchObject({ status: 'failed', fault: 'configuration' })
    expect(found.text).toBe('its x-message-ttl is 9000, and has to be 7000')
    const [command] = quotedIn(found.remedy)
    expect(command).toBe(`rabbitmqctl delete_queue -p / --if-empty ${retry}`)
    await remove(broker, retry)
    expect((await look({ url: broker.url, queue, ...given })).one('queues.retry').status).toBe('passed')
    await declare(broker, retry, withArguments({ ...right, 'x-dead-letter-routing-key': 'elsewhere' }))
    const other = (await look({ url: broker.url, queue, ...given })).one('queues.retry', retry)
    expect(other.text).toBe(`its x-dead-letter-routing-key is elsewhere, and has to be ${queue}`)
    await remove(broker, retry)
    await declare(broker, retry, withArguments(right))
    const { status, text } = (await look({ url: broker.url, queue, ...given })).one('queues.retry')
    expect([status, text]).toEqual(['passed', 'of 1 retry queues 1 are there, and 0 will be declared'])
  })

  test('with a long name is not taken for another one', async ({ broker, queue }) => {
    const long = `${queue}-${'x'.repeat(180)}`
    await declare(broker, `${long}.retry.7000`, withArguments(rightFor(long)))
    const { at } = await look({ url: broker.url, queue: long, ...given })
    expect(at('queues.retry').map(({ status }) => status)).toEqual(['unknown'])
  })

  test('that somebody consumes from: stop that', async ({ broker, queue }) => {
    const retry = `${queue}.retry.7000`
    const connection = await connect(broker.url)
    try {
      const channel = await connection.createChannel()
      await channel.assertQueue(retry, withArguments(rightFor(queue)))
      const { consumerTag } = await channel.consume(retry, () => {})
      const found = (await look({ url: broker.url, queue, ...given })).one('queues.retry-consumers', retry)
      expect(found.status).toBe('warned')
      expect(found.remedy).toContain('stop them')
      await channel.cancel(consumerTag)
      const after = await look({ url: broker.url, queue, ...given })
      expect(after.at('queues.retry-consumers')).toEqual([])
      expect(after.one('queues.retry').status).toBe('passed')
    } finally {
      await connection.close()
    }
  })
})

test('a queue that is paused: resume it', async ({ broker, queue }) => {
  const given = { url: broker.url, queue, control: 'true' }
  await declare(broker, `${queue}.paused`, DURABLE)
  const found = (await look(given)).one('queues.paused', queue)
  expect(found.status).toBe('warned')
  const [command = ''] = quotedIn(found.remedy)
  expect(command).toBe(`fpm-bridge resume --queue ${queue}`)
  const [, ...args] = command.split(' ')
  expect(await runBridge([...args, '--url', broker.url])).toMatchObject({ code: 0 })
  expect((await look(given)).one('queues.paused', queue).status).toBe('passed')
})

test('more patience than the broker usually has: raise it there, or say what it is', async ({
  broker,
  queue,
}) => {
  const given = { url: broker.url, queue }
  const found = (await look({ ...given, 'consumer-timeout': '2h' })).one('queues.consumer-timeout')
  expect(found.status).toBe('warned')
  expect(found.remedy).toContain('--consumer-timeout 30m')
  // What it is at this broker is not to be seen.
  const after = (await look({ ...given, 'consumer-timeout': '30m' })).one('queues.consumer-timeout')
  expect(after.status).toBe('unknown')
})

test('looking takes nothing out of a queue, and puts nothing in', async ({ broker, queue }) => {
  await declare(broker, queue, withArguments(QUORUM))
  const connection = await connect(broker.url)
  try {
    const channel = await connection.createConfirmChannel()
    channel.sendToQueue(queue, Buffer.from('{"number":7}'), { persistent: true })
    await channel.waitForConfirms()
    const { one } = await look({ url: broker.url, queue, ack: 'completed' })
    expect(one('queues.exists', queue).text).toBe('it exists, with 1 message and 0 consumers')
    const message = await channel.get(queue)
    expect(message).not.toBe(false)
    if (message === false) return
    expect(message.fields.redelivered).toBe(false)
    expect(message.properties.headers?.['x-delivery-count'] ?? 0).toBe(0)
    expect((await broker.queues()).filter(({ name }) => name.startsWith(queue))).toHaveLength(1)
  } finally {
    await connection.close()
  }
})
