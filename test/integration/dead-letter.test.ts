import { expect } from 'vitest'
import { byte, field, long, longString } from '../support/amqp-frames.ts'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { numbers, publishAll, takeAll } from '../support/messages.ts'
import { publishRaw, withHeaders } from '../support/raw-publisher.ts'

const UNPROCESSABLE: readonly [body: string | Buffer, reason: RegExp][] = [
  ['', /is empty/],
  ['hello', /is not JSON/],
  ['{"number":1', /is not JSON: it ends too early/],
  ['7', /is a JSON scalar/],
  ['"text"', /is a JSON scalar/],
  ['null', /is a JSON scalar/],
  [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), /is not valid UTF-8/],
  ['['.repeat(10_000), /nests deeper/],
]

test('what cannot be executed goes to the dead-letter queue with the reason, and the rest is executed', async ({
  broker,
  queue,
  startDaemon,
}) => {
  await publishAll(broker, queue, [...UNPROCESSABLE.map(([body]) => body), ...numbers(5)])
  const daemon = await startDaemon({ args: ['--daemon-id', `D-${queue}`] })
  await eventually('the good ones are executed', () => count(daemon.log, 'Executed.') === 5)
  await eventually(
    'the bad ones are moved',
    () => count(daemon.log, 'Dead-lettered.') === UNPROCESSABLE.length,
  )

  const dead = await takeAll(broker, `${queue}.dead`)
  expect(dead).toHaveLength(UNPROCESSABLE.length)
  for (const [body, reason] of UNPROCESSABLE) {
    const copy = dead.find(({ content }) => content.equals(Buffer.from(body)))
    expect(copy?.properties.deliveryMode).toBe(2)
    expect(copy?.properties.headers).toMatchObject({
      'x-fpm-bridge-reason': expect.stringMatching(reason),
      'x-fpm-bridge-queue': queue,
      'x-fpm-bridge-daemon-id': `D-${queue}`,
      'x-fpm-bridge-routing-key': queue,
    })
  }
  await eventually('they are acked', async () => {
    expect(await broker.queues()).toContainEqual({ name: queue, ready: 0, unacked: 0, consumers: 1 })
    return true
  })
})

test('the copy keeps what the message had, and nothing that would make it unpublishable or send it elsewhere', async ({
  broker,
  queue,
  startDaemon,
}) => {
  await publishAll(broker, queue, ['not JSON'], {
    messageId: 'M-1',
    contentType: 'text/plain',
    userId: 'guest',
    expiration: '60000',
    headers: { 'x-tenant': 'acme', 'x-fpm-bridge-reason': 'forged' },
    CC: [queue],
  })
  const daemon = await startDaemon()
  await daemon.waitForLine('Dead-lettered.')

  const [copy, ...others] = await takeAll(broker, `${queue}.dead`)
  expect(others).toEqual([])
  expect(copy?.properties).toMatchObject({ messageId: 'M-1', contentType: 'text/plain' })
  expect(copy?.properties.userId).toBeUndefined()
  expect(copy?.properties.expiration).toBeUndefined()
  expect(copy?.properties.headers).toMatchObject({
    'x-tenant': 'acme',
    'x-fpm-bridge-reason': expect.stringContaining('not JSON'),
    'x-fpm-bridge-original-user-id': 'guest',
    'x-fpm-bridge-original-expiration': '60000',
    'x-fpm-bridge-original-cc': [queue],
  })
  expect(copy?.properties.headers).not.toHaveProperty('CC')
  // Had the copy kept its CC, it would have come back to the queue it was taken from.
  await eventually('it is acked', async () => {
    expect(await broker.queues()).toContainEqual({ name: queue, ready: 0, unacked: 0, consumers: 1 })
    return true
  })
})

test('headers that are too large for a copy are left behind by name, not the message, nor the others', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const large = field('large', 'S', longString('x'.repeat(130_700)))
  const message = withHeaders(
    Buffer.concat([large, field('small', 't', byte(1))]),
    'M-1',
    Buffer.from('no JSON'),
  )
  await publishAll(broker, queue, [])
  await publishRaw(broker, queue, message)
  const daemon = await startDaemon()
  await daemon.waitForLine('Dead-lettered.')
  const [copy] = await takeAll(broker, `${queue}.dead`)
  expect(copy?.properties.headers).toMatchObject({ small: true, 'x-fpm-bridge-headers-dropped': 'large' })
  expect(copy?.properties.headers).not.toHaveProperty('large')
})

test('a dead-letter queue that is deleted in mid-run is declared again; the message waits unacked', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const daemon = await startDaemon()
  await daemon.waitForLine('Consuming.')
  await publishAll(broker, queue, ['first'])
  await daemon.waitForLine('Dead-lettered.')
  await broker.api('DELETE', `/queues/%2F/${queue}.dead`)
  await publishAll(broker, queue, ['second'])

  await daemon.waitForLine('Cannot publish the copy of a message')
  await eventually('the second is moved', () => count(daemon.log, 'Dead-lettered.') === 2)
  const [copy] = await takeAll(broker, `${queue}.dead`)
  expect(copy?.content.toString()).toBe('second')
})

test('headers that look like those of a library’s own notation are copied as they are, and hold up nobody', async ({
  broker,
  queue,
  startDaemon,
}) => {
  // What amqplib would read as a type of AMQP that is to be written, and cannot be.
  const marked = field('k', 'F', long(13), field('!', 'S', longString('double')))
  await publishAll(broker, queue, [])
  for (let each = 1; each <= 4; each += 1) {
    await publishRaw(broker, queue, withHeaders(marked, `bad-${each}`, Buffer.from('no JSON')))
  }
  await publishAll(broker, queue, numbers(20))
  const daemon = await startDaemon({ args: ['--concurrency', '4', '--prefetch', '4'] })
  await eventually('the others are executed', () => count(daemon.log, 'Executed.') === 20)
  await eventually('they are dead letters', () => count(daemon.log, 'Dead-lettered.') === 4)
  const copies = await takeAll(broker, `${queue}.dead`)
  expect(copies.map(({ properties }) => properties.messageId)).toEqual(['bad-1', 'bad-2', 'bad-3', 'bad-4'])
  for (const { properties } of copies) expect(properties.headers?.['k']).toEqual({ '!': 'double' })
})
