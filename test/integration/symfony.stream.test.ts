import { expect } from 'vitest'
import type { BridgeProcess } from '../support/bridge-process.ts'
import { count, HOLDING } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { takeAll } from '../support/messages.ts'
import { readNotes } from '../support/symfony.ts'
import { MANY, test } from '../support/symfony-fixtures.ts'

/* Messages of Symfony Messenger, many in one request, in an application of the framework: what lives on, and what does not. */

const EXECUTED = 'Executed.'
const settled = ({ log }: BridgeProcess) => count(log, EXECUTED) + count(log, 'Dead-lettered.')

/** A line of StateMiddleware for each execution. */
const state = (task: string, counts: readonly [number, number, number], connection: number) => ({
  do: task,
  sinceReset: counts[0],
  sinceMade: counts[1],
  inRequest: counts[2],
  connection,
  alive: 1,
  timezone: 'Europe/Vienna',
  errorHandler: 'Symfony\\Component\\ErrorHandler\\ErrorHandler',
})

test.for([
  {
    freshContainer: false,
    title: 'one container, whose services are reset between them',
    third: state('work', [1, 3, 3], 3),
  },
  { freshContainer: true, title: 'a container each', third: state('work', [1, 1, 3], 1) },
])(
  'messages of one request have $title, and the kernel’s timezone and error handler',
  async ({ freshContainer, third }, { notes, send, consume, framework }) => {
    await send('php', [{ do: 'work' }, { do: 'leave things behind' }, { do: 'work' }])
    const daemon = await consume(framework(false, freshContainer), { args: MANY })
    await eventually('all are executed', () => count(daemon.log, EXECUTED) === 3)
    expect(readNotes(notes, 'states')).toEqual([
      state('work', [1, 1, 1], 1),
      freshContainer
        ? state('leave things behind', [1, 1, 2], 1)
        : state('leave things behind', [1, 2, 2], 2),
      third,
    ])
  },
)

test('each message has its own outcome, its own stamps and its own retries', async ({
  broker,
  queue,
  notes,
  send,
  consume,
  framework,
}) => {
  const names = ['work', 'fail', 'succeed at 2', 'refuse', 'recover', 'work']
  await send(
    'php',
    names.map((name) => ({ do: name })),
  )
  const daemon = await consume(framework(true), { args: MANY })
  await eventually('all are settled', () => settled(daemon) === names.length)
  expect(count(daemon.log, EXECUTED)).toBe(names.length)
  const attempts = (name: string) =>
    readNotes(notes, 'executions')
      .filter((note) => note['do'] === name)
      .map((note) => note['attempt'])
  expect(['work', 'fail', 'succeed at 2', 'refuse', 'recover'].map(attempts)).toEqual([
    [1, 1],
    [1, 2],
    [1, 2],
    [1],
    [1, 2],
  ])
  const retries = readNotes(notes, 'stamps').filter((note) => note['do'] === 'succeed at 2')
  expect(retries).toMatchObject([
    { receivedFrom: 'async', byWorker: true, retries: 0, queue },
    { receivedFrom: 'async', byWorker: true, retries: 1, queue },
  ])
  // Messenger's own listener, which would send it on its way a second time, does not come back.
  expect(readNotes(notes, 'sent-to-async')).toEqual([])
  const given = readNotes(notes, 'sent-to-failed').map((note) => note['do'])
  expect(given.sort()).toEqual(['fail', 'recover', 'refuse'])
  const willRetry = readNotes(notes, 'events')
    .filter((note) => note['event'] === 'WorkerMessageFailedEvent' && note['do'] === 'fail')
    .map((note) => note['willRetry'])
  expect(willRetry).toEqual([true, false])
  expect(await takeAll(broker, `${queue}.dead`)).toEqual([])
})

test('a message that ends its request ends no other, and has used up an attempt', async ({
  broker,
  queue,
  notes,
  send,
  consume,
  framework,
}) => {
  await send('php', [{ do: 'work' }, { do: 'exit' }, { do: 'work' }, { do: 'work' }])
  const daemon = await consume(framework(false), { args: MANY })
  await eventually('all are settled', () => settled(daemon) === 4)
  expect(count(daemon.log, EXECUTED)).toBe(3)
  const executions = readNotes(notes, 'executions').map((note) => `${note['do']} ${note['attempt']}`)
  expect(executions.sort()).toEqual(['exit 1', 'exit 2', 'work 1', 'work 1', 'work 1'])
  const [dead] = await takeAll(broker, `${queue}.dead`)
  expect(dead?.properties.headers?.['x-fpm-bridge-stderr']).toContain('the handler has called exit')
})

test('a batch handler gets its batches: ten messages, and what is left when no more come', async ({
  notes,
  send,
  consume,
  framework,
}) => {
  const names = Array.from({ length: 13 }, (_, index) => `task ${index}`)
  await send(
    'php',
    names.map((name) => ({ do: name, class: 'App\\Batched' })),
  )
  const daemon = await consume(framework(false), { args: MANY })
  await eventually('all are executed', () => count(daemon.log, EXECUTED) === names.length)
  expect(readNotes(notes, 'batches')).toEqual([names.slice(0, 10), names.slice(10)])
})

test('a batch handler gets each message alone where each has a container of its own', async ({
  notes,
  send,
  consume,
  framework,
}) => {
  const names = ['a', 'b']
  await send(
    'php',
    names.map((name) => ({ do: name, class: 'App\\Batched' })),
  )
  const daemon = await consume(framework(false, true), { args: MANY })
  await eventually('both are executed', () => count(daemon.log, EXECUTED) === names.length)
  expect(readNotes(notes, 'batches')).toEqual([['a'], ['b']])
})

test('a batch that breaks fails all of its messages, and each comes again alone', async ({
  broker,
  queue,
  notes,
  send,
  consume,
  framework,
}) => {
  const names = ['a', 'break', 'b']
  await send(
    'php',
    names.map((name) => ({ do: name, class: 'App\\Batched' })),
  )
  const daemon = await consume(framework(false), { args: MANY })
  await eventually('all are settled', () => settled(daemon) === names.length)
  const [batch, ...alone] = readNotes(notes, 'batches')
  expect([batch, alone.sort()]).toEqual([names, [['a'], ['b'], ['break']]])
  const dead = await takeAll(broker, `${queue}.dead`)
  expect(dead.map(({ properties }) => String(properties.headers?.['x-fpm-bridge-stderr']))).toEqual([
    expect.stringContaining('this batch breaks'),
  ])
  const failures = daemon.log.filter(({ message }) => message === 'To be executed again.')
  const stderr = failures.map((line) => String(line['stderr'])).join('')
  expect(stderr).toContain('it was put off, and not finished when no more messages came')
})

test('services that cannot be reset end the request, and the next message has another one', async ({
  notes,
  send,
  consume,
  framework,
}) => {
  await send('php', [{ do: 'work' }, { do: 'work' }])
  const daemon = await consume(framework(false), { args: MANY, environment: { BROKEN_RESET: '1' } })
  await eventually('both are executed', () => count(daemon.log, EXECUTED) === 2)
  expect(readNotes(notes, 'executions')).toHaveLength(2)
  expect(readNotes(notes, 'states')).toEqual([state('work', [1, 1, 1], 1), state('work', [1, 1, 1], 1)])
})

test.for([
  { boot: 'throws', says: 'it cannot boot: RuntimeException: no configuration' },
  { boot: 'exits', says: 'the script has ended while it booted: exit' },
])(
  'where the application $boot while it boots, nothing is executed, and no attempt is used up',
  async ({ boot, says }, { broker, queue, notes, send, consume, framework }) => {
    await send('php', [{ do: 'work' }])
    const daemon = await consume(framework(false), { args: MANY, environment: { BROKEN_BOOT: boot } })
    expect(JSON.stringify(await daemon.waitForLine(HOLDING))).toContain(says)
    await daemon.kill()
    expect(await takeAll(broker, `${queue}.dead`)).toEqual([])
    expect(await takeAll(broker, queue)).toHaveLength(1)
    expect(readNotes(notes, 'executions')).toEqual([])
  },
)
