import { expect } from 'vitest'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { takeAll } from '../support/messages.ts'
import { readNotes, receiveMessage, type SerializerName } from '../support/symfony.ts'
import { test } from '../support/symfony-fixtures.ts'

/*
 * Messages of Symfony Messenger, sent by its own AMQP transport, and executed in a real php-fpm behind a real daemon: here
 * by an application without the framework.
 */

interface Note {
  readonly do: string
}

const SERIALIZERS: readonly SerializerName[] = ['php', 'json']

// PHP's serialization of the second is no UTF-8, and therefore goes as base64.
const BYTES = {
  php: [Buffer.from('Grüße: \'"\\\0'), Buffer.from([0xff, 0])],
  json: [Buffer.from('Grüße: \'"\\\0'), Buffer.from('Ω')],
} as const

test.for(SERIALIZERS)(
  'messages of the %s serializer, delayed or not, are handled once, with their stamps and those of a consumer',
  async (serializer, { broker, queue, notes, send, consume }) => {
    const [first, second] = BYTES[serializer]
    await send(serializer, [
      { do: 'later', bytes: first, delay: 1 },
      { do: 'now', bytes: second },
    ])
    const daemon = await consume('plain.php', { environment: { SERIALIZER: serializer } })
    await eventually('both are executed', () => count(daemon.log, 'Executed.') === 2)

    expect(readNotes<Note>(notes, 'executions').sort(byDo)).toEqual([
      { do: 'later', bytes: first.toString('hex'), attempt: 1 },
      { do: 'now', bytes: second.toString('hex'), attempt: 1 },
    ])
    const consumer = { bus: 'command.bus', receivedFrom: 'async', byWorker: true, retries: 0, queue }
    expect(readNotes<Note>(notes, 'stamps').sort(byDo)).toEqual([
      { do: 'later', ...consumer, delay: 1 },
      { do: 'now', ...consumer, delay: null },
    ])
    expect(await takeAll(broker, queue)).toEqual([])
  },
)

test.for(SERIALIZERS)(
  'the %s serializer is given what the receiver of Symfony gives it',
  async (serializer, { broker, queue, notes, send, consume }) => {
    const message = { do: 'work', bytes: BYTES[serializer][1] }
    await send(serializer, [message, message])
    await receiveMessage(broker, queue, notes)
    const daemon = await consume('spy.php')
    await daemon.waitForLine('Executed.')

    const ours = readNotes(notes, 'fpm-fcgi')
    expect(ours).toEqual([{ body: expect.stringMatching(/./), headers: expect.anything() }])
    expect(ours).toEqual(readNotes(notes, 'cli'))
  },
)

test('what succeeds at its second attempt is acked then, and has a stamp of the first', async ({
  broker,
  queue,
  notes,
  send,
  consume,
}) => {
  await send('php', [{ do: 'succeed at 2' }])
  const daemon = await consume('plain.php')
  await daemon.waitForLine('Executed.')
  expect(readNotes(notes, 'executions').map(({ attempt }) => attempt)).toEqual([1, 2])
  expect(readNotes(notes, 'stamps').map(({ retries }) => retries)).toEqual([0, 1])
  expect(await takeAll(broker, `${queue}.dead`)).toEqual([])
})

test('what is unrecoverable is dead-lettered at once, with the reason', async ({
  broker,
  queue,
  notes,
  send,
  consume,
}) => {
  await send('json', [{ do: 'refuse' }])
  const daemon = await consume('plain.php', { environment: { SERIALIZER: 'json' } })
  await daemon.waitForLine('Dead-lettered.')
  expect(readNotes(notes, 'executions')).toHaveLength(1)
  const [dead] = await takeAll(broker, `${queue}.dead`)
  expect(dead?.properties.headers).toMatchObject({
    'x-fpm-bridge-status': 422,
    'x-fpm-bridge-attempt': 1,
    'x-fpm-bridge-stderr': expect.stringMatching(
      /UnrecoverableMessageHandlingException: no such invoice in .*TaskHandler\.php:\d+/,
    ),
    // It can be sent again as it is.
    type: 'App\\Task',
  })
})

test('a batch handler does not wait for more messages', async ({ broker, queue, notes, send, consume }) => {
  await send('php', [{ do: 'work', class: 'App\\Batched' }])
  const daemon = await consume('plain.php')
  await daemon.waitForLine('Executed.')
  expect(readNotes(notes, 'batches')).toEqual([['work']])
  expect(await takeAll(broker, `${queue}.dead`)).toEqual([])
})

test('a message larger than post_max_size is whole', async ({ notes, send, consume }) => {
  const bytes = Buffer.alloc(5_000, 'x')
  await send('json', [{ do: 'work', bytes }])
  const environment = { SERIALIZER: 'json' }
  const daemon = await consume('plain.php', {
    environment,
    ini: { post_max_size: '1K', display_errors: 'off' },
  })
  await daemon.waitForLine('Executed.')
  expect(readNotes(notes, 'executions')).toEqual([{ do: 'work', bytes: bytes.toString('hex'), attempt: 1 }])
})

function byDo(a: Note, b: Note): number {
  return a.do.localeCompare(b.do)
}
