import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { type OwnBroker, startBroker } from '../support/broker.ts'
import type { Broker } from '../support/broker-api.ts'
import { createAuthority } from '../support/certificates.ts'
import { eventually } from '../support/eventually.ts'
import { test as base } from '../support/fixtures.ts'
import { workerPhp } from '../support/handler-script.ts'
import { takeAll } from '../support/messages.ts'
import { type PhpPublisher, startPublisher } from '../support/php-publisher.ts'
import { nativeClient } from '../support/pool-client.ts'
import { removeFolder, temporaryFolder } from '../support/run-folder.ts'
import { readWorkerLog } from '../support/worker-log.ts'

/* worker-php's Publisher, on the php-amqplib that this machine has, and a real broker. */

interface Fixtures {
  /** Starts a publisher to the test's queue; ended with the test, which fails when PHP had something to complain about. */
  publisher: (
    args?: Record<string, unknown>,
    environment?: Readonly<Record<string, string>>,
  ) => Promise<PhpPublisher>
}

const test = base.extend<Fixtures>({
  publisher: async ({ broker, queue }, use) => {
    const publishers: PhpPublisher[] = []
    await use(async (args = {}, environment = {}) => {
      const publisher = await startPublisher({ broker: broker.url, queue, ...args }, environment)
      publishers.push(publisher)
      return publisher
    })
    for (const publisher of publishers) expect(await publisher.close()).toBe('')
  },
})

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const queueOf = (broker: Broker, queue: string) =>
  broker.api<Record<string, unknown>>('GET', `/queues/%2F/${queue}`)

test.for(['classic', 'quorum'])(
  'a message in a new %s queue outlives everything',
  async (queueType, { broker, queue, publisher }) => {
    const { publish } = await publisher({ queueType })
    const result = await publish({
      payload: { name: 'Zoë', path: 'a/b', price: 1.0 },
      properties: { type: 'invoice', expiration: 60_000, priority: 3 },
      headers: { tenant: 'acme', list: [1, { two: true }] },
    })
    expect(result).toEqual({ id: expect.stringMatching(UUID) })
    expect(await queueOf(broker, queue)).toMatchObject({
      type: queueType,
      durable: true,
      auto_delete: false,
      exclusive: false,
    })
    const [message, ...others] = await takeAll(broker, queue)
    expect(others).toEqual([])
    expect(message?.content.toString()).toBe('{"name":"Zoë","path":"a/b","price":1}')
    expect(message?.properties).toMatchObject({
      deliveryMode: 2,
      messageId: result.id,
      contentType: 'application/json',
      timestamp: expect.any(Number),
      type: 'invoice',
      expiration: '60000',
      priority: 3,
      headers: { tenant: 'acme', list: [1, { two: true }] },
    })
  },
)

test('bytes and an id of the caller’s own stay as they are', async ({ broker, queue, publisher }) => {
  const { publish } = await publisher()
  const properties = { message_id: 'order-7', content_type: 'text/plain' }
  expect(await publish({ payload: 'seven', properties })).toEqual({ id: 'order-7' })
  const [message] = await takeAll(broker, queue)
  expect(message?.content.toString()).toBe('seven')
  expect(message?.properties).toMatchObject({ messageId: 'order-7', contentType: 'text/plain' })
})

test('a queue with arguments of its own is taken as it is', async ({ broker, queue, publisher }) => {
  await broker.api('PUT', `/queues/%2F/${queue}`, { durable: true, arguments: { 'x-max-length': 10 } })
  const { publish } = await publisher({ queueType: 'quorum' })
  for (const number of [1, 2])
    expect(await publish({ payload: { number } })).toEqual({ id: expect.any(String) })
  expect(await takeAll(broker, queue)).toHaveLength(2)
})

test('a queue that is missing, from the start or later, makes the message unroutable', async ({
  broker,
  queue,
  publisher,
}) => {
  const absent = await publisher({ declare: false })
  const failed = {
    error: 'Unroutable',
    message: expect.stringContaining(queue),
    id: expect.stringMatching(UUID),
  }
  expect(await absent.publish({ payload: {} })).toEqual(failed)

  const declaring = await publisher()
  expect(await declaring.publish({ payload: {} })).not.toHaveProperty('error')
  await broker.api('DELETE', `/queues/%2F/${queue}`)
  expect(await declaring.publish({ payload: {} })).toEqual(failed)
  // The connection is none the worse for it.
  await broker.api('PUT', `/queues/%2F/${queue}`, { durable: true })
  expect(await declaring.publish({ payload: {} })).not.toHaveProperty('error')
})

test('a queue that is full refuses the message', async ({ broker, queue, publisher }) => {
  const settings = { 'x-max-length': 1, 'x-overflow': 'reject-publish' }
  await broker.api('PUT', `/queues/%2F/${queue}`, { durable: true, arguments: settings })
  const { publish } = await publisher()
  expect(await publish({ payload: {} })).not.toHaveProperty('error')
  expect(await publish({ payload: {} })).toMatchObject({
    error: 'Refused',
    message: expect.stringContaining(`is the queue ${queue} full?`),
  })
  expect(await takeAll(broker, queue)).toHaveLength(1)
})

test('a queue that the broker does not let us have is said to be so', async ({ publisher }) => {
  const { publish } = await publisher({ queue: 'amq.reserved' })
  expect(await publish({ payload: {} })).toMatchObject({
    error: 'QueueUnavailable',
    message: expect.stringContaining('ACCESS_REFUSED'),
  })
})

test('a password that is wrong lets nobody in, and is not shown', async ({ broker, publisher }) => {
  const { publish } = await publisher({ broker: broker.url.replace(':guest@', ':s3cret@') })
  const { error, message } = await publish({ payload: {} })
  expect([error, message]).toEqual(['BrokerUnavailable', expect.stringContaining('ACCESS_REFUSED')])
  expect(message).not.toContain('s3cret')
})

test('a broker that is silent is given up within the time limit', async ({ publisher }) => {
  await using silent = await listen()
  const { publish } = await publisher({ broker: `amqp://127.0.0.1:${silent.port}`, timeout: 0.3 })
  expect(await publish({ payload: {} })).toMatchObject({ error: 'BrokerUnavailable' })
  expect(silent.received().toString()).toMatch(/^AMQP/)
})

test('with amqps nothing is sent in the clear', async ({ publisher }) => {
  await using silent = await listen()
  const { publish } = await publisher({ broker: `amqps://127.0.0.1:${silent.port}`, timeout: 0.3 })
  expect(await publish({ payload: {} })).toMatchObject({ error: 'BrokerUnavailable' })
  // A TLS record of type handshake (RFC 8446, section 5.1).
  expect(silent.received().subarray(0, 2)).toEqual(Buffer.from([0x16, 0x03]))
})

describe('a broker of our own', () => {
  const folder = temporaryFolder('publisher')
  const authority = createAuthority(folder, 'own')
  let own: OwnBroker
  beforeAll(async () => {
    const certificate = authority.issue('broker', { subjectAltName: 'DNS:localhost' })
    own = await startBroker({ tls: { ...certificate, ca: authority.cert } })
  })
  afterAll(async () => {
    await own?.close()
    removeFolder(folder)
  })

  test('with amqps it must have a certificate for its name, from a CA of the machine', async ({
    queue,
    publisher,
  }) => {
    // Where OpenSSL looks for the machine's CAs.
    const trusting = { SSL_CERT_FILE: authority.cert }
    const at = (host: string) => ({ broker: `amqps://guest:guest@${host}:${own.tlsPort}` })
    const result = await (await publisher(at('localhost'), trusting)).publish({ payload: { number: 1 } })
    expect(result).toEqual({ id: expect.stringMatching(UUID) })
    for (const other of [await publisher(at('127.0.0.1'), trusting), await publisher(at('localhost'))]) {
      expect(await other.publish({ payload: { number: 2 } })).toMatchObject({ error: 'BrokerUnavailable' })
    }
    const bodies = (await takeAll(own, queue)).map(({ content }) => content.toString())
    expect(bodies).toEqual(['{"number":1}'])
  })

  test('that raises an alarm confirms nothing, and the error says why', async ({ publisher }) => {
    const { publish } = await publisher({ broker: own.url, timeout: 2 })
    expect(await publish({ payload: { number: 1 } })).not.toHaveProperty('error')
    await own.evaluate('vm_memory_monitor:set_vm_memory_high_watermark(0.0001).')
    await eventually(
      'the alarm is raised',
      async () => (await own.evaluate('rabbit_alarm:get_alarms().')) !== '[]',
    )
    const properties = { message_id: 'm-2' }
    const blocked = await publish({ payload: { number: 2 }, properties })
    expect(blocked).toMatchObject({ error: 'Unconfirmed', id: 'm-2' })
    expect(blocked.message).toContain('its memory or disk alarm')
    expect(blocked.message).toContain('publish it again with the same message_id')
    await own.evaluate('vm_memory_monitor:set_vm_memory_high_watermark(0.9).')
    expect(await publish({ payload: { number: 2 }, properties })).toEqual({ id: 'm-2' })
  })

  test('that dies is noticed, and found again', async ({ queue, publisher }) => {
    const { publish } = await publisher({ broker: own.url })
    expect(await publish({ payload: { number: 1 } })).not.toHaveProperty('error')
    await own.kill()
    expect(await publish({ payload: { number: 2 } })).toMatchObject({
      error: 'Unconfirmed',
      message: expect.stringContaining('It may have arrived'),
    })
    expect(await publish({ payload: { number: 2 } })).toMatchObject({
      error: 'BrokerUnavailable',
      message: expect.stringContaining('Connection refused'),
    })
    await own.start()
    expect(await publish({ payload: { number: 2 } })).not.toHaveProperty('error')
    const bodies = (await takeAll(own, queue)).map(({ content }) => content.toString())
    // Not of the first: RabbitMQ 3.10 may forget a queue that it has declared a moment before it is killed.
    expect(bodies).toContain('{"number":2}')
  })
})

test('the example of a web request publishes what the example of a handler executes', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const { directory } = await ownPool()
  const log = join(directory, 'worker.log')
  const web = await ownPool({
    extensions: ['mbstring'],
    environment: { BROKER_URL: broker.url, BROKER_QUEUE: queue },
  })
  const pool = await ownPool({ environment: { WORKER_LOG: log } })
  const client = nativeClient(web, { keepAlive: false })
  const params = {
    SCRIPT_FILENAME: join(workerPhp, 'examples/enqueue.php'),
    CONTENT_TYPE: 'application/x-www-form-urlencoded',
  }
  const response = await client.request({ params, body: Buffer.from('number=7') })
  await client.close()
  expect(response).toMatchObject({ status: 202, stderr: '' })
  expect(JSON.parse(response.body.toString())).toEqual({ messageId: expect.stringMatching(UUID) })

  const script = join(workerPhp, 'examples/handler.php')
  await startDaemon({ socket: pool.socket, script, args: ['--ack', 'completed'] })
  await eventually('it is executed', () => readWorkerLog(log).length === 1)
  expect(readWorkerLog(log)).toMatchObject([{ number: '7' }])
})

test('the example of a web request asks for patience when the broker is away', async ({ ownPool }) => {
  await using closed = await listen()
  const { port } = closed
  await closed[Symbol.asyncDispose]()
  const environment = { BROKER_URL: `amqp://127.0.0.1:${port}`, BROKER_QUEUE: 'commands' }
  const web = await ownPool({ extensions: ['mbstring'], environment })
  const client = nativeClient(web, { keepAlive: false })
  const params = { SCRIPT_FILENAME: join(workerPhp, 'examples/enqueue.php') }
  const response = await client.request({ params, body: Buffer.alloc(0) })
  await client.close()
  expect(response).toMatchObject({
    status: 503,
    stderr: expect.stringContaining('Cannot connect to the broker'),
  })
})

/** A server that accepts, and never says a word. */
async function listen() {
  const sockets: Socket[] = []
  const chunks: Buffer[] = []
  const server = createServer((socket) => {
    sockets.push(socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    received: () => Buffer.concat(chunks),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
