import { type ChannelModel, connect, type Options } from 'amqplib'
import { expect } from 'vitest'
import { parseBrokerUrl } from '../../src/amqp/broker-url.ts'
import { openConnection } from '../../src/amqp/connection.ts'
import { endPause, lookForPause, putPause } from '../../src/amqp/pause-marker.ts'
import type { PauseNote } from '../../src/control/protocol.ts'
import { eventually } from '../support/eventually.ts'
import { startFaultProxy } from '../support/fault-proxy.ts'
import { test as base } from '../support/fixtures.ts'
import { putMarker } from '../support/marker.ts'
import { takeAll } from '../support/messages.ts'
import { freePorts } from '../support/ports.ts'

/* The marker of a pause, with several who read it, replace it and take it away at the same time. */

const NOTE: PauseNote = { by: 'ana@ops1', at: '2026-03-01T10:00:00.000Z', reason: 'migration' }
const OVER: PauseNote = { ...NOTE, until: '2026-03-01T12:00:00.000Z' }
const LATER = new Date('2026-03-02T00:00:00Z')

const test = base.extend<{ connection: ChannelModel; declareMarker: DeclareMarker }>({
  connection: async ({ broker }, use) => {
    const connection = await openConnection(parseBrokerUrl(broker.url), 'test')
    await use(connection)
    await connection.close().catch(() => {})
  },
  declareMarker: async ({ connection, queue }, use) => {
    await use(async (options) => {
      const channel = await connection.createChannel()
      await channel.assertQueue(`${queue}.paused`, options)
      await channel.close()
    })
  },
})

type DeclareMarker = (options: Options.AssertQueue) => Promise<void>

/** Somebody who is in the middle of reading a note, until he is told to put it back. */
async function holdNote(connection: ChannelModel, queue: string): Promise<() => Promise<void>> {
  const channel = await connection.createChannel()
  expect(await channel.get(`${queue}.paused`)).not.toBe(false)
  return () => channel.close()
}

test('is put, read as often as one likes, replaced and taken away', async ({ broker, connection, queue }) => {
  expect(await lookForPause(connection, queue)).toBeUndefined()
  await putPause(connection, queue, NOTE)
  for (let times = 0; times < 3; times += 1) expect(await lookForPause(connection, queue)).toEqual(NOTE)
  await putPause(connection, queue, OVER)
  expect(await lookForPause(connection, queue)).toEqual(OVER)
  const messages = await takeAll(broker, `${queue}.paused`)
  expect(messages).toHaveLength(1)
  expect(messages[0]?.properties).toMatchObject({ deliveryMode: 2, contentType: 'application/json' })
  expect(await broker.api('GET', `/queues/%2F/${queue}.paused`)).toMatchObject({ durable: true })
  expect(await lookForPause(connection, queue)).toEqual({})
  expect([await endPause(connection, queue), await endPause(connection, queue)]).toEqual([true, false])
  expect(await lookForPause(connection, queue)).toBeUndefined()
})

test('ends only where it is over', async ({ connection, queue }) => {
  const onlyIfOver = LATER
  expect(await endPause(connection, queue, { onlyIfOver })).toBe(false)
  for (const note of [NOTE, {}, { ...NOTE, until: 'tomorrow' }, { until: '2026-03-03T00:00:00Z' }]) {
    await putPause(connection, queue, note)
    expect(await endPause(connection, queue, { onlyIfOver })).toBe(false)
    expect(await lookForPause(connection, queue)).toEqual(note)
  }
  await putPause(connection, queue, OVER)
  expect(await endPause(connection, queue, { onlyIfOver })).toBe(true)
  expect(await lookForPause(connection, queue)).toBeUndefined()
})

test('waits for one who reads the note, and believes after a while that there is none', async ({
  connection,
  queue,
}) => {
  await putPause(connection, queue, OVER)
  const putBack = await holdNote(connection, queue)
  const looking = lookForPause(connection, queue)
  setTimeout(() => void putBack(), 40)
  expect(await looking).toEqual(OVER)

  const release = await holdNote(connection, queue)
  expect(await lookForPause(connection, queue)).toEqual({})
  expect(await endPause(connection, queue, { onlyIfOver: LATER })).toBe(false)
  await release()
  expect(await lookForPause(connection, queue)).toEqual(OVER)
})

test('thirty who look at once all see it', async ({ connection, queue }) => {
  await putPause(connection, queue, NOTE)
  const looks = await Promise.all(Array.from({ length: 30 }, () => lookForPause(connection, queue)))
  expect(looks.every((note) => note !== undefined)).toBe(true)
  expect(looks.filter((note) => note?.reason === NOTE.reason).length).toBeGreaterThan(0)
  expect(await lookForPause(connection, queue)).toEqual(NOTE)
})

test('a pause that is put while an older one is ended stays', async ({ broker, queue }) => {
  const [operator, daemon] = await Promise.all([connect(broker.url), connect(broker.url)])
  try {
    const fates = new Set<string>()
    for (let round = 0; round < 24; round += 1) {
      await putPause(operator, queue, OVER)
      const both = [
        async () => fates.add(`ended ${await endPause(daemon, queue, { onlyIfOver: LATER })}`),
        () => putPause(operator, queue, NOTE),
      ]
      const [first, second] = round % 2 === 0 ? both : both.reverse()
      const began = first?.()
      await new Promise((resolve) => setTimeout(resolve, round * 3))
      await Promise.all([began, second?.()])
      expect(await lookForPause(operator, queue), `round ${round}`).toEqual(NOTE)
      await endPause(operator, queue)
    }
    // Otherwise nothing has happened at the same time.
    expect([...fates].sort()).toEqual(['ended false', 'ended true'])
  } finally {
    await Promise.all([operator.close(), daemon.close()])
  }
})

test('one who ends an overdue pause, and stands still on the way, does not take a newer one along', async ({
  broker,
  connection,
  queue,
}) => {
  await putPause(connection, queue, OVER)
  const [port = 0] = await freePorts(1)
  const link = await startFaultProxy(port, broker.port)
  try {
    const daemon = await connect(broker.url.replace(String(broker.port), String(port)))
    const hasNote = afterFirstGet(daemon, () => link.freeze())
    const ending = endPause(daemon, queue, { onlyIfOver: LATER })
    await hasNote
    await putPause(connection, queue, NOTE)
    await link.heal()
    expect(await ending).toBe(false)
    expect(await lookForPause(connection, queue)).toEqual(NOTE)
    await daemon.close()
  } finally {
    await link.close()
  }
})

test.for([{}, { 'x-max-length': 1 }])(
  'one who ends an overdue pause and has read its note does not take a newer one along: %o',
  async (args, { connection, queue, declareMarker }) => {
    await declareMarker({ durable: true, arguments: args })
    await putPause(connection, queue, OVER)
    const putBack = await holdNote(connection, queue)
    await putPause(connection, queue, NOTE)
    await putBack()
    expect(await lookForPause(connection, queue)).toEqual(NOTE)
    expect(await endPause(connection, queue, { onlyIfOver: LATER })).toBe(false)
    expect(await lookForPause(connection, queue)).toEqual(NOTE)
  },
)

test('of several who pause at once each has paused it', async ({ broker, queue }) => {
  const connections = await Promise.all(Array.from({ length: 6 }, () => connect(broker.url)))
  try {
    const [first] = connections as [ChannelModel]
    await Promise.all(
      connections.map((connection, index) =>
        putPause(connection, queue, { ...NOTE, reason: `number ${index}` }),
      ),
    )
    expect((await lookForPause(first, queue))?.reason).toMatch(/^number \d$/)
    await putPause(first, queue, { ...NOTE, reason: 'the last one' })
    expect((await lookForPause(first, queue))?.reason).toBe('the last one')
    const left = await takeAll(broker, `${queue}.paused`)
    expect(left).toHaveLength(1)
  } finally {
    await Promise.all(connections.map((connection) => connection.close()))
  }
})

test.for<Options.AssertQueue>([
  { durable: true, arguments: { 'x-queue-type': 'quorum' } },
  { durable: true, arguments: { 'x-message-ttl': 60_000, 'x-expires': 60_000 } },
  { durable: true, arguments: { 'x-max-length': 5, 'x-overflow': 'reject-publish' } },
  { durable: false },
])('one made by hand does as well: %o', async (options, { connection, queue, declareMarker }) => {
  await declareMarker(options)
  expect(await lookForPause(connection, queue)).toEqual({})
  await putPause(connection, queue, NOTE)
  await putPause(connection, queue, OVER)
  expect(await lookForPause(connection, queue)).toEqual(OVER)
  expect(await endPause(connection, queue, { onlyIfOver: LATER })).toBe(true)
  expect(await lookForPause(connection, queue)).toBeUndefined()
})

test('a stream cannot hold a note, and is taken away like any other', async ({
  broker,
  connection,
  queue,
  declareMarker,
}) => {
  await declareMarker({ durable: true, arguments: { 'x-queue-type': 'stream' } })
  const unfit = expect.stringMatching(/is a stream, which holds no note; resume/)
  await expect(putPause(connection, queue, NOTE)).rejects.toMatchObject({
    code: 'QUEUE_UNFIT',
    message: unfit,
  })
  const next = await connect(broker.url)
  expect(await endPause(next, queue)).toBe(true)
  await putPause(next, queue, NOTE)
  await next.close()
})

test('garbage is no note', async ({ broker, connection, queue }) => {
  await putMarker(broker, queue, JSON.stringify({ reason: 'x'.repeat(5_000) }))
  expect(await lookForPause(connection, queue)).toEqual({})
  await putPause(connection, queue, NOTE)
  expect(await lookForPause(connection, queue)).toEqual(NOTE)
})

test('a queue whose name leaves no room for the marker cannot be paused', async ({ connection }) => {
  const long = 'ü'.repeat(125)
  await expect(putPause(connection, long, NOTE)).rejects.toMatchObject({
    code: 'QUEUE_UNFIT',
    message: expect.stringContaining('255 bytes'),
  })
  expect(await lookForPause(connection, long)).toBeUndefined()
  expect(await endPause(connection, long)).toBe(false)
})

test('what the user may not do is named', async ({ broker, queue }) => {
  const rights = async (permissions: Readonly<Record<string, string>>) => {
    await broker.api('PUT', `/permissions/%2F/${queue}`, {
      configure: '.*',
      write: '.*',
      read: '.*',
      ...permissions,
    })
  }
  await broker.api('PUT', `/users/${queue}`, { password: 's3cret', tags: '' })
  await rights({})
  const connection = await connect(broker.url.replace('guest:guest', `${queue}:s3cret`))
  const put = () => putPause(connection, queue, NOTE)
  const refused = (
    permissions: Readonly<Record<string, string>>,
    text: RegExp,
    act: () => Promise<unknown> = put,
  ) =>
    eventually(`${text}`, async () => {
      await rights(permissions)
      await expect(act()).rejects.toThrow(text)
      return true
    })
  try {
    await refused({ configure: '^$' }, /give the user the permission to configure "test-.*\.paused"/)
    await refused(
      { write: '^$' },
      /permission to write "amq\\.default".*; the marker is there now, without a note/,
    )
    await refused({ read: '^$' }, /permission to read "test-.*\.paused"(?!.*is there now)/)
    await refused({ configure: '^$' }, /permission to configure/, () => endPause(connection, queue))
  } finally {
    await connection.close()
    await broker.api('DELETE', `/users/${queue}`)
  }
})

/** Calls back when a message has been taken out of a queue, before anything comes of it. Resolves then. */
function afterFirstGet(connection: ChannelModel, act: () => void): Promise<void> {
  return new Promise((resolve) => {
    const open = connection.createChannel.bind(connection)
    connection.createChannel = async () => {
      const channel = await open()
      const get = channel.get.bind(channel)
      channel.get = async (...question) => {
        const message = await get(...question)
        if (message !== false) {
          act()
          resolve()
        }
        return message
      }
      return channel
    }
  })
}
