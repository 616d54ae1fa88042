import { expect } from 'vitest'
import { runBridge } from '../support/bridge-process.ts'
import { eventually } from '../support/eventually.ts'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import { test } from '../support/fixtures.ts'
import { numbers, publishAll, takeAll } from '../support/messages.ts'
import { freePorts } from '../support/ports.ts'

const wrong = (port: number, user = 'guest') => `amqp://${user}:s3cret@127.0.0.1:${port}`

async function deadUrl(): Promise<string> {
  const [port] = await freePorts(1)
  return `amqp://127.0.0.1:${port}`
}

test('from a dead broker to a live one, for deliveries and for copies of them', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const dead = await deadUrl()
  await publishAll(broker, queue, ['not JSON', ...numbers(1)])
  const daemon = await startDaemon({ url: dead, args: ['--url', broker.url] })
  const consuming = await daemon.waitForLine('Consuming.')
  expect(consuming['broker']).toBe(`amqp://guest@127.0.0.1:${broker.port}/`)
  await daemon.waitForLine('Executed.')
  await daemon.waitForLine('Dead-lettered.')
  expect(await takeAll(broker, `${queue}.dead`)).toHaveLength(1)
  const warnings = daemon.log.filter(({ message }) => message === 'Passed over a broker.')
  // By the consumer, and by the publisher where a message is there before the consumer is known to have found a broker.
  expect([1, 2]).toContain(warnings.length)
  for (const { reason } of warnings) expect(reason).toContain('ECONNREFUSED')
  // Each goes through the whole list before it says that none can be used.
  expect(daemon.log.filter(({ message }) => message.startsWith('Cannot publish'))).toEqual([])
})

test('away from a broker that is lost, and back when the other is', async ({
  broker,
  queue,
  startDaemon,
}) => {
  // To the daemon these are two.
  const ports = (await freePorts(2)) as [number, number]
  const [first, second] = await Promise.all([
    startFaultProxy(ports[0], broker.port),
    startFaultProxy(ports[1], broker.port),
  ])
  try {
    const url = ({ port }: FaultProxy) => `amqp://guest:guest@127.0.0.1:${port}`
    const daemon = await startDaemon({ url: url(first), args: ['--url', url(second)] })
    const consumedFrom = () =>
      daemon.log.filter(({ message }) => message === 'Consuming.').map((line) => line['broker'])
    const named = ({ port }: FaultProxy) => `amqp://guest@127.0.0.1:${port}/`
    const executes = async (messageId: string) => {
      await publishAll(broker, queue, numbers(1), { messageId })
      await daemon.waitForLine((line) => line.message === 'Executed.' && line['message_id'] === messageId)
    }
    await daemon.waitForLine('Consuming.')
    expect(consumedFrom()).toEqual([named(first)])

    await first.lose()
    await eventually('it consumes from the second', () => consumedFrom().length === 2)
    await executes('from the second')

    await first.heal()
    // Nothing is wrong with the second, so it stays.
    await executes('from the second again')
    await second.lose()
    await eventually('it consumes from the first', () => consumedFrom().length === 3)
    expect(consumedFrom()).toEqual([named(first), named(second), named(first)])
    await executes('from the first')
  } finally {
    await Promise.all([first.close(), second.close()])
  }
})

test('a lost connection alone does not move it to the next broker', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const daemon = await startDaemon({ url: broker.url, args: ['--url', await deadUrl()] })
  await daemon.waitForLine('Consuming.')
  await broker.api('DELETE', `/queues/%2F/${queue}`)
  const consuming = () => daemon.log.filter(({ message }) => message === 'Consuming.')
  await eventually('it consumes again', () => consuming().length === 2)
  expect(daemon.log.filter(({ message }) => message === 'Passed over a broker.')).toEqual([])
})

test('one that refuses for good does not stop the daemon while another works', async ({
  broker,
  startDaemon,
}) => {
  const urls = ['--url', await deadUrl(), '--url', broker.url]
  const daemon = await startDaemon({ url: wrong(broker.port), args: urls })
  await daemon.waitForLine('Consuming.')
  const warnings = daemon.log.filter(({ level }) => level === 'warn')
  expect(warnings.map(({ reason }) => reason)).toEqual([
    expect.stringContaining('the password in --url'),
    expect.stringContaining('ECONNREFUSED'),
  ])
  expect(JSON.stringify(daemon.log)).not.toContain('s3cret')
})

test('one that refuses for good does not stop the daemon while another may come back', async ({
  broker,
  startDaemon,
}) => {
  const daemon = await startDaemon({ url: wrong(broker.port), args: ['--url', await deadUrl()] })
  const { reason } = await daemon.waitForLine('Not consuming')
  expect(reason).toMatch(/^no broker of --url can be used: .*the password in --url.*; .*ECONNREFUSED/)
  daemon.signal('SIGTERM')
  expect(await daemon.exited).toMatchObject({ code: 0 })
})

test('all that refuse for good: one line for all of them, exit 78', async ({ broker, startDaemon }) => {
  const urls = ['--url', wrong(broker.port, 'nobody')]
  const daemon = await startDaemon({ url: wrong(broker.port), args: urls })
  expect(await daemon.exited).toMatchObject({ code: 78 })
  const complaints = daemon.log.filter(({ level }) => level === 'error' || level === 'warn')
  expect(complaints.map(({ reason }) => reason)).toEqual([
    expect.stringMatching(/refuses user "guest".*; .*refuses user "nobody"/),
  ])
  expect(JSON.stringify(daemon.log)).not.toContain('s3cret')
})

test('publish goes through the list, too', async ({ broker, queue }) => {
  const dead = await deadUrl()
  const publish = (...urls: string[]) =>
    runBridge(['publish', ...urls.flatMap((url) => ['--url', url]), '-q', queue, '{"number":1}'])
  expect(await publish(dead, wrong(broker.port), broker.url)).toMatchObject({
    code: 0,
    stdout: [`1 published to "${queue}"`],
    log: [
      { message: expect.stringContaining('ECONNREFUSED') },
      { message: expect.stringContaining('the password in --url') },
    ],
  })
  expect(await publish(dead, wrong(broker.port))).toMatchObject({ code: 69, stdout: [] })
  const refused = await publish(wrong(broker.port), wrong(broker.port, 'nobody'))
  expect(refused).toMatchObject({
    code: 78,
    stdout: [],
    log: [{ message: expect.stringContaining('nobody') }],
  })
})
