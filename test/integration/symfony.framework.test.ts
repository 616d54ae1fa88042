import { expect } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { takeAll } from '../support/messages.ts'
import { readNotes } from '../support/symfony.ts'
import { MANY, test } from '../support/symfony-fixtures.ts'

/*
 * An application of Symfony's framework, set up as docs/symfony.md says: the front controller of worker-php, and the
 * services of that page. Its messenger.yaml has a retry strategy and a failure transport, as any does.
 */

const event = (name: string, task: string, willRetry: boolean | null = null) => ({
  do: task,
  event: name,
  transport: 'async',
  willRetry,
})

test('a message is handled once, on the bus that it was dispatched to, and the listeners hear of it', async ({
  broker,
  queue,
  notes,
  send,
  consume,
  framework,
}) => {
  await send('php', [{ do: 'work' }])
  const daemon = await consume(framework(false))
  await daemon.waitForLine('Executed.')
  expect(readNotes(notes, 'executions')).toEqual([{ do: 'work', bytes: '', attempt: 1 }])
  // Noted by a middleware that the default bus does not have.
  expect(readNotes(notes, 'stamps')).toMatchObject([{ receivedFrom: 'async', byWorker: true, queue }])
  expect(readNotes(notes, 'events')).toEqual([
    event('WorkerMessageReceivedEvent', 'work'),
    event('WorkerMessageHandledEvent', 'work'),
  ])
  expect(readNotes(notes, 'sent-to-async')).toEqual([])
  expect(await takeAll(broker, `${queue}.dead`)).toEqual([])
})

test('the daemon repeats what fails, and the application sends nothing on its way a second time', async ({
  broker,
  queue,
  notes,
  send,
  consume,
  framework,
}) => {
  await send('php', [{ do: 'recover' }])
  const daemon = await consume(framework(false))
  await daemon.waitForLine('Dead-lettered.')
  expect(readNotes(notes, 'executions').map(({ attempt }) => attempt)).toEqual([1, 2])
  expect(readNotes(notes, 'events')).toEqual([
    event('WorkerMessageReceivedEvent', 'recover'),
    event('WorkerMessageFailedEvent', 'recover', true),
    event('WorkerMessageReceivedEvent', 'recover'),
    event('WorkerMessageFailedEvent', 'recover', false),
  ])
  expect(readNotes(notes, 'sent-to-async')).toEqual([])
  // It is in the dead-letter queue, so not here as well.
  expect(readNotes(notes, 'sent-to-failed')).toEqual([])
  expect(await takeAll(broker, `${queue}.dead`)).toHaveLength(1)
})

test('what is given up goes to the failure transport, where there is one', async ({
  broker,
  queue,
  notes,
  send,
  consume,
  framework,
}) => {
  await send('php', [{ do: 'fail' }, { do: 'refuse' }])
  const daemon = await consume(framework(true))
  await eventually(
    'both are settled',
    () => daemon.log.filter(({ message }) => message === 'Executed.').length === 2,
  )
  const executions = readNotes(notes, 'executions').map((note) => `${note['do']} ${note['attempt']}`)
  expect(executions.sort()).toEqual(['fail 1', 'fail 2', 'refuse 1'])
  const sent = readNotes(notes, 'sent-to-failed')
  expect(sent).toHaveLength(2)
  expect(sent).toContainEqual({ do: 'fail', from: 'async', error: 'not today' })
  expect(sent).toContainEqual({ do: 'refuse', from: 'async', error: 'no such invoice' })
  expect(await takeAll(broker, `${queue}.dead`)).toEqual([])
})

test('what the failure transport does not take is dead-lettered', async ({
  broker,
  queue,
  notes,
  send,
  consume,
  framework,
}) => {
  await send('php', [{ do: 'refuse' }])
  const daemon = await consume(framework(true), { environment: { FAILED: 'broken' } })
  await daemon.waitForLine('Dead-lettered.')
  const [dead] = await takeAll(broker, `${queue}.dead`)
  expect(dead?.properties.headers?.['x-fpm-bridge-stderr']).toMatch(
    /no such invoice in .*; the failure transport did not take it: RuntimeException: the database is away/,
  )
  expect(readNotes(notes, 'executions')).toHaveLength(1)
})

test('what a listener holds back is repeated', async ({ broker, queue, notes, send, consume, framework }) => {
  await send('php', [{ do: 'hold back' }])
  const daemon = await consume(framework(false))
  await daemon.waitForLine('Dead-lettered.')
  expect(readNotes(notes, 'executions')).toEqual([])
  const [dead] = await takeAll(broker, `${queue}.dead`)
  expect(dead?.properties.headers).toMatchObject({
    'x-fpm-bridge-attempt': 2,
    'x-fpm-bridge-stderr': expect.stringContaining(
      'a listener of WorkerMessageReceivedEvent has held it back',
    ),
  })
})

// Symfony's error handler answers a fatal error with a page and a status of its own.
test.for([
  ['on', '1', []],
  ['off', '0', []],
  ['on', '1', MANY],
  ['off', '0', MANY],
] as const)(
  'no failure is taken for success, with display_errors %s and APP_DEBUG=%s %j',
  async ([displayErrors, debug, args], { broker, queue, notes, send, consume, framework }) => {
    const names = ['exit', 'finish and exit', 'fatal', 'fatal after a flush', 'out of memory']
    await send(
      'php',
      names.map((name) => ({ do: name })),
    )
    const daemon = await consume(framework(true), {
      args,
      environment: { APP_DEBUG: debug, APP_ENV: 'test' },
      ini: { display_errors: displayErrors, memory_limit: '64M' },
    })
    await eventually(
      'all are given up',
      () => daemon.log.filter(({ message }) => message === 'Dead-lettered.').length === names.length,
    )
    expect(daemon.log.filter(({ message }) => message === 'Executed.')).toEqual([])
    for (const name of names) {
      const executions = readNotes(notes, 'executions').filter((note) => note['do'] === name)
      expect(executions, name).toHaveLength(2)
    }
    const dead = await takeAll(broker, `${queue}.dead`)
    const statuses = dead.map(({ content, properties }) => [
      names.find((name) => content.includes(`"${name}\\"`)),
      properties.headers?.['x-fpm-bridge-status'],
    ])
    // fastcgi_finish_request() ends the request of many messages, so there is no answer.
    const isLost = (name: string) => name === 'finish and exit' && args.length > 0
    expect(Object.fromEntries(statuses)).toEqual(
      Object.fromEntries(names.map((name) => [name, isLost(name) ? undefined : 500])),
    )
  },
)
