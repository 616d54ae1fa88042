import { connect, type Options } from 'amqplib'
import { describe, expect } from 'vitest'
import { parseBrokerUrl } from '../../src/amqp/broker-url.ts'
import { openConnection } from '../../src/amqp/connection.ts'
import { plainQueue } from '../../src/amqp/queue.ts'
import { natureOf } from '../../src/amqp/queue-nature.ts'
import { runBridge } from '../support/bridge-process.ts'
import type { Broker } from '../support/broker-api.ts'
import { closeConnection } from '../support/broker-connections.ts'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { countsOf, readyIn } from '../support/queue-counts.ts'

/*
 * Queues that lose what is in them, declared as other clients declare theirs: the daemon says what, and when.
 */

type Declare = Options.AssertQueue

const AUTO_DELETE: Declare = { durable: true, autoDelete: true }
const NOT_DURABLE: Declare = { durable: false }
const EXPIRES: Declare = { durable: true, arguments: { 'x-expires': 600_000, 'x-max-priority': 3 } }
const STREAM: Declare = {
  durable: true,
  arguments: { 'x-queue-type': 'stream', 'x-max-length-bytes': 1_000_000, 'x-max-age': '1D' },
}
const QUORUM: Declare = { durable: true, arguments: { 'x-queue-type': 'quorum' } }

async function declare(broker: Pick<Broker, 'url'>, queue: string, how: Declare): Promise<void> {
  const connection = await connect(broker.url)
  try {
    const channel = await connection.createConfirmChannel()
    await channel.assertQueue(queue, how)
    channel.sendToQueue(queue, Buffer.from('{"number":7}'), { persistent: true })
    await channel.waitForConfirms()
  } finally {
    await connection.close()
  }
}

describe.concurrent('a queue that does not keep its messages', () => {
  for (const [what, how, says] of [
    ['auto-delete', AUTO_DELETE, /auto-delete: .* when the last daemon stops, loses its connection/],
    ['not durable', NOT_DURABLE, /not durable: .* when it restarts/],
    ['both', { durable: false, autoDelete: true }, /auto-delete: .*; it is not durable: /],
    ['expiring', EXPIRES, /expires .* when no daemon has consumed from it for 600000 ms/],
    ['a stream', STREAM, /is a stream: .* is skipped\. Bind a classic or quorum queue/],
  ] as const) {
    test(`is refused at the start, untouched: ${what}`, async ({ broker, queue, startDaemon }) => {
      await declare(broker, queue, how)
      const daemon = await startDaemon()
      expect(await daemon.exited).toMatchObject({ code: 78 })
      const last = daemon.log.at(-1)
      const reason = last?.['reason']
      expect(last?.['code']).toBe('QUEUE_UNFIT')
      expect(reason).toContain(`queue "${queue}" (--queue) does not keep its messages: `)
      expect(reason).toMatch(says)
      if (what !== 'a stream') {
        expect(reason).toContain('--allow-transient-queue')
        expect(await readyIn(broker, queue)).toBe(1)
      }
    })
  }

  test('no flag makes a queue of a stream', async ({ broker, queue, startDaemon }) => {
    await declare(broker, queue, STREAM)
    const daemon = await startDaemon({ args: ['--allow-transient-queue'] })
    expect(await daemon.exited).toMatchObject({ code: 78 })
  })

  test('is taken with --allow-transient-queue, with one warning for all sessions', async ({
    broker,
    queue,
    startDaemon,
  }) => {
    await declare(broker, queue, NOT_DURABLE)
    const daemon = await startDaemon({ args: ['--allow-transient-queue', '--daemon-id', `D-${queue}`] })
    const { reason, about_queue: named } = await daemon.waitForLine(
      'This queue will lose messages (--allow-transient-queue).',
    )
    expect([named, reason]).toEqual([queue, expect.stringContaining('not durable')])
    await daemon.waitForLine('Executed.')
    await closeConnection(broker, `D-${queue}`)
    await eventually('it consumes again', () => count(daemon.log, 'Consuming.') === 2)
    expect(daemon.log.filter(({ level }) => level === 'warn')).toHaveLength(2)
  })

  test('is waited for while running, with the reason', async ({ broker, queue, startDaemon }) => {
    await declare(broker, queue, QUORUM)
    await declare(broker, `${queue}.dead`, QUORUM)
    const daemon = await startDaemon({ args: ['--no-declare'] })
    await daemon.waitForLine('Consuming.')
    await broker.api('DELETE', `/queues/%2F/${queue}`)
    await declare(broker, queue, STREAM)
    await eventually('it says what the queue is now', () =>
      daemon.log.some(({ reason }) => String(reason).includes('it is a stream')),
    )
    expect(count(daemon.log, 'Consuming.')).toBe(1)
  })
})

describe.concurrent('a dead-letter queue', () => {
  for (const [what, how, says] of [
    ['auto-delete', AUTO_DELETE, /auto-delete: .* when the last one who reads from it has read/],
    ['not durable', NOT_DURABLE, /not durable: /],
    ['expiring', EXPIRES, /when nobody has read from it for 600000 ms/],
  ] as const) {
    test(`that is ${what} is refused`, async ({ broker, queue, startDaemon }) => {
      await declare(broker, `${queue}.dead`, how)
      const daemon = await startDaemon()
      expect(await daemon.exited).toMatchObject({ code: 78 })
      expect(daemon.log.at(-1)?.['reason']).toContain(`queue "${queue}.dead" (--dead-letter-queue)`)
      expect(daemon.log.at(-1)?.['reason']).toMatch(says)
    })
  }

  test('may be a stream, which keeps what it confirms', async ({ broker, queue, startDaemon }) => {
    await declare(broker, `${queue}.dead`, STREAM)
    await declare(broker, queue, QUORUM)
    const daemon = await startDaemon()
    await daemon.waitForLine('Consuming.')
    expect(daemon.log.filter(({ level }) => level === 'warn')).toEqual([])
  })
})

test('a queue that is exclusive to another connection is refused', async ({ broker, queue, startDaemon }) => {
  const connection = await connect(broker.url)
  try {
    await (await connection.createChannel()).assertQueue(queue, { exclusive: true })
    const daemon = await startDaemon()
    expect(await daemon.exited).toMatchObject({ code: 78 })
    expect(daemon.log.at(-1)?.['reason']).toContain('it is exclusive to another connection')
  } finally {
    await connection.close()
  }
})

test('a user who may not ask consumes all the same, and is told so once', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const user = `${queue}-user`
  await declare(broker, queue, NOT_DURABLE)
  await declare(broker, `${queue}.dead`, { durable: true })
  await broker.api('PUT', `/users/${user}`, { password: 's3cret', tags: '' })
  try {
    await broker.api('PUT', `/permissions/%2F/${user}`, { configure: '', write: '.*', read: '.*' })
    const url = broker.url.replace('guest:guest', `${user}:s3cret`)
    const daemon = await startDaemon({ url, args: ['--no-declare', '--daemon-id', `D-${queue}`] })
    await daemon.waitForLine('Executed.')
    await closeConnection(broker, `D-${queue}`)
    await eventually('it consumes again', () => count(daemon.log, 'Consuming.') === 2)
    const told = daemon.log.filter(({ message }) => message === 'Taken as it is.')
    expect(told.map(({ level, about_queue: named }) => [level, named])).toEqual([
      ['info', queue],
      ['info', `${queue}.dead`],
    ])
  } finally {
    await broker.api('DELETE', `/users/${user}`)
  }
})

test('asking what a queue is creates none', async ({ broker, queue }) => {
  const connection = await openConnection(parseBrokerUrl(broker.url), queue)
  try {
    await expect(natureOf(connection, plainQueue(queue, 'classic'), false)).rejects.toThrow('it has gone')
    expect(await countsOf(broker, queue)).toBeUndefined()
  } finally {
    await connection.close()
  }
})

test('fpm-bridge publish warns of one, and publishes', async ({ broker, queue }) => {
  await declare(broker, queue, AUTO_DELETE)
  const { code, stdout, log } = await runBridge(['publish', '--url', broker.url, '--queue', queue, '{}'])
  expect([code, stdout]).toEqual([0, [`1 published to "${queue}"`]])
  expect(log[0]?.message).toContain(`queue "${queue}" will lose messages: it is auto-delete`)
})
