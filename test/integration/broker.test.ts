import { expect } from 'vitest'
import { method } from '../support/amqp-frames.ts'
import { closeConnection } from '../support/broker-connections.ts'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { startFaultProxy } from '../support/fault-proxy.ts'
import { test } from '../support/fixtures.ts'
import { numbers, publishAll } from '../support/messages.ts'
import { freePorts } from '../support/ports.ts'
import { connectionClose, listenAmqp } from '../support/scripted-broker.ts'

test('an absent queue is declared durable, not exclusive, not auto-delete, and its dead-letter queue too', async ({
  broker,
  queue,
  startDaemon,
}) => {
  await (await startDaemon()).waitForLine('Consuming.')
  for (const name of [queue, `${queue}.dead`]) {
    const declared = await broker.api('GET', `/queues/%2F/${name}`)
    expect(declared).toMatchObject({ durable: true, exclusive: false, auto_delete: false, type: 'classic' })
  }
})

test('--queue-type quorum declares quorum queues', async ({ broker, queue, startDaemon }) => {
  await (await startDaemon({ args: ['--queue-type', 'quorum'] })).waitForLine('Consuming.')
  expect(await broker.api('GET', `/queues/%2F/${queue}`)).toMatchObject({ type: 'quorum' })
})

test('an existing queue is taken as it is, whatever its arguments', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const custom = { durable: true, arguments: { 'x-max-priority': 5, 'x-max-length': 1_000 } }
  await broker.api('PUT', `/queues/%2F/${queue}`, custom)
  const daemon = await startDaemon()
  await daemon.waitForLine('Consuming.')
  expect(await broker.api('GET', `/queues/%2F/${queue}`)).toMatchObject(custom)
})

test('--no-declare: every missing queue is named, and the exit code is 78', async ({
  queue,
  startDaemon,
}) => {
  const daemon = await startDaemon({ args: ['--no-declare'] })
  expect(await daemon.exited).toMatchObject({ code: 78 })
  const reason = String(daemon.log.at(-1)?.['reason'])
  expect(reason).toContain('--no-declare')
  expect(reason).toContain(`"${queue}"`)
  expect(reason).toContain(`"${queue}.dead"`)
})

test.for([
  {
    what: 'a wrong password',
    url: (port: number) => `amqp://guest:s3cret@127.0.0.1:${port}`,
    names: 'the password in --url',
  },
  {
    what: 'an unknown user',
    url: (port: number) => `amqp://nobody:s3cret@127.0.0.1:${port}`,
    names: 'change the user',
  },
  {
    what: 'a missing vhost',
    url: (port: number) => `amqp://127.0.0.1:${port}/nowhere`,
    names: 'the vhost in --url',
  },
])(
  '$what: one line that names what to change, exit 78, no password',
  async ({ url, names }, { broker, startDaemon }) => {
    const daemon = await startDaemon({ url: url(broker.port) })
    expect(await daemon.exited).toMatchObject({ code: 78 })
    const complaints = daemon.log.filter(({ level }) => level === 'error')
    expect(complaints).toHaveLength(1)
    expect(complaints[0]?.['reason']).toContain(names)
    expect(JSON.stringify(daemon.log)).not.toContain('s3cret')
  },
)

test('a queue of somebody else, exclusively: exit 78', async ({ broker, queue, startDaemon }) => {
  const { connect } = await import('amqplib')
  const connection = await connect(broker.url)
  try {
    await (await connection.createChannel()).assertQueue(queue, { exclusive: true })
    const daemon = await startDaemon()
    expect(await daemon.exited).toMatchObject({ code: 78 })
    expect(daemon.log.at(-1)?.['reason']).toContain('RESOURCE_LOCKED')
  } finally {
    await connection.close()
  }
})

test('a broker that is away at start and later: said once each time, and consumed when it is back', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const [port] = (await freePorts(1)) as [number]
  const link = await startFaultProxy(port, broker.port)
  try {
    await publishAll(broker, queue, numbers(1))
    await link.lose()
    const daemon = await startDaemon({ url: `amqp://127.0.0.1:${port}` })
    await daemon.waitForLine('Not consuming')
    await link.heal()
    await daemon.waitForLine('Executed.')

    await link.lose()
    await link.heal()
    await eventually('it consumes again', () => count(daemon.log, 'Consuming.') === 2)
    // The first may come once more: its ack may be lost with the connection.
    await publishAll(broker, queue, numbers(1), { messageId: 'second' })
    await daemon.waitForLine(
      ({ message, message_id: messageId }) => message === 'Executed.' && messageId === 'second',
    )

    expect(count(daemon.log, 'The session with the broker has ended; opening another.')).toBe(1)
    for (const series of seriesOf(daemon.log)) expect(series).toEqual([...new Set(series)])
    daemon.signal('SIGTERM')
    expect(await daemon.exited).toMatchObject({ code: 0 })
  } finally {
    await link.close()
  }
})

test('a connection closed by the broker and a deleted queue end the session, and another is opened', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const daemon = await startDaemon({ args: ['--daemon-id', `D-${queue}`] })
  await daemon.waitForLine('Consuming.')
  await closeConnection(broker, `D-${queue}`)
  await eventually('it consumes again', () => count(daemon.log, 'Consuming.') === 2)

  await broker.api('DELETE', `/queues/%2F/${queue}`)
  await eventually('it consumes once more', () => count(daemon.log, 'Consuming.') === 3)
  await publishAll(broker, queue, numbers(1))
  await daemon.waitForLine('Executed.')
})

test('sessions that end as soon as they consume are opened ever more slowly', async ({ startDaemon }) => {
  const consumed: number[] = []
  const broker = await listenAmqp({
    'basic.consume': (channel) => {
      consumed.push(performance.now())
      const consumeOk = method(channel, [60, 21], Buffer.from('\x03tag'))
      return Buffer.concat([consumeOk, connectionClose(320, 'CONNECTION_FORCED')])
    },
  })
  try {
    await startDaemon({ url: `amqp://127.0.0.1:${broker.url.port}` })
    const [first = 0, , , , fifth = 0] = await eventually(
      'five sessions',
      () => consumed.length >= 5 && consumed,
    )
    // 100, 200, 400 and 800 ms, each shortened by half at most; without a pause it would be 50 ms.
    expect(fifth - first).toBeGreaterThan(700)
  } finally {
    await broker.close()
  }
})

/** The complaints between one 'Consuming.' and the next. */
function seriesOf(log: readonly { message: string; reason?: unknown }[]): unknown[][] {
  const series: unknown[][] = [[]]
  for (const { message, reason } of log) {
    if (message === 'Consuming.') series.push([])
    else if (message.startsWith('Not consuming')) series.at(-1)?.push(reason)
  }
  return series
}
