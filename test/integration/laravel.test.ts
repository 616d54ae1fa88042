import { expect } from 'vitest'
import type { LogLine } from '../support/bridge-process.ts'
import { eventually } from '../support/eventually.ts'
import { MANY, type Note, test } from '../support/laravel.ts'
import { publishAll, takeAll } from '../support/messages.ts'

/* Payloads of the real illuminate/queue, executed by worker-php/laravel/queue.php in a real php-fpm, behind a real daemon. */

const MODE = ['--ack', 'completed', '--payload', 'raw', '--require-marker', '--max-attempts', '5']
const ARGS = [...MODE, '--retry-delay', '10ms', '--retry-max-delay', '20ms']

const counted = (log: readonly LogLine[], text: string) =>
  log.filter(({ message }) => message === text).length

const executed = (log: readonly LogLine[]) => counted(log, 'Executed.')
const deadLettered = (log: readonly LogLine[]) => counted(log, 'Dead-lettered.')

const attemptsOf = (notes: readonly Note[], name: string) =>
  notes.filter((note) => note.event === 'handle' && note.name === name).map(({ attempt }) => attempt)
const events = (notes: readonly Note[]) => notes.map(({ event }) => event)

test('a job is executed once, and the application sees what it sees with queue:work', async ({
  broker,
  queue,
  laravel,
  startDaemon,
}) => {
  const { pool, script, dispatch, notes, failedJobs } = await laravel()
  const daemon = await startDaemon({ socket: pool.socket, script, args: ARGS })
  expect(await dispatch({ name: 'it' })).toBe(1)
  await daemon.waitForLine('Executed.')
  expect(notes()).toEqual([
    { event: 'JobProcessing' },
    { event: 'handle', name: 'it', attempt: 1 },
    { event: 'JobProcessed' },
  ])
  expect(await takeAll(broker, queue)).toEqual([])
  expect(await failedJobs()).toEqual([])
})

test('an exception with tries left is repeated; with none left the job is a failed job, and nowhere else', async ({
  broker,
  queue,
  laravel,
  startDaemon,
}) => {
  const { pool, script, dispatch, notes, failedJobs, retryFailed } = await laravel()
  const daemon = await startDaemon({ socket: pool.socket, script, args: ARGS })
  await dispatch({ name: 'recovers', does: ['throw', 'return'], set: { tries: 2 } })
  await daemon.waitForLine('Executed.')
  expect(attemptsOf(notes(), 'recovers')).toEqual([1, 2])
  expect(await failedJobs()).toEqual([])

  const before = notes().length
  await dispatch({ name: 'never', does: ['throw', 'throw'], set: { tries: 2 } })
  await eventually('it is settled', () => executed(daemon.log) === 2)
  expect(events(notes().slice(before))).toEqual([
    ...['JobProcessing', 'handle', 'JobExceptionOccurred', 'report'],
    ...['JobProcessing', 'handle', 'failed', 'JobFailed', 'JobExceptionOccurred', 'report'],
  ])
  const [failed, ...others] = await failedJobs()
  expect(others).toEqual([])
  expect(failed).toMatchObject({ connection: 'rabbitmq', queue })
  expect(failed?.exception).toMatch(/^RuntimeException: not today in /)
  expect(await takeAll(broker, `${queue}.dead`)).toEqual([])

  // And from there it can be sent again, to count from 1.
  await retryFailed()
  await eventually('it is settled again', () => executed(daemon.log) === 3)
  expect(attemptsOf(notes(), 'never')).toEqual([1, 2, 1, 2])
  expect(await failedJobs()).toHaveLength(1)
})

test('a job that does not say gets one try, as with queue:work', async ({ laravel, startDaemon }) => {
  const { pool, script, dispatch, notes, failedJobs } = await laravel()
  const daemon = await startDaemon({ socket: pool.socket, script, args: ARGS })
  await dispatch({ name: 'it', does: ['throw'] })
  await daemon.waitForLine('Executed.')
  expect(attemptsOf(notes(), 'it')).toEqual([1])
  expect(await failedJobs()).toHaveLength(1)
})

test('backoff is waited for', async ({ laravel, startDaemon }) => {
  const { pool, script, dispatch, notes } = await laravel()
  const args = [...MODE, '--retry-delay', '10ms', '--retry-max-delay', '2s']
  const daemon = await startDaemon({ socket: pool.socket, script, args })
  await dispatch({ name: 'it', does: ['throw', 'return'], set: { tries: 2, backoff: [1, 60] } })
  await daemon.waitForLine('Executed.')
  const { delay_ms: delayMs } = await daemon.waitForLine('To be executed again.')
  expect(delayMs).toBe(1_280) // 10 ms, doubled until it is at least a second
  expect(attemptsOf(notes(), 'it')).toEqual([1, 2])
})

test('release, delete and fail do what they say', async ({ broker, queue, laravel, startDaemon }) => {
  const { pool, script, dispatch, notes, failedJobs } = await laravel()
  await dispatch(
    { name: 'released', does: ['release 0', 'release 30', 'return'], set: { tries: 3 } },
    { name: 'released for good', does: ['release 0', 'release 0'], set: { tries: 2 } },
    { name: 'deleted', does: ['delete'] },
    { name: 'failed', does: ['fail'], set: { tries: 3 } },
    { name: 'failed for no reason', does: ['give-up'], set: { tries: 3 } },
  )
  const daemon = await startDaemon({ socket: pool.socket, script, args: ARGS })
  await eventually('all are settled', () => executed(daemon.log) === 5)
  expect(attemptsOf(notes(), 'released')).toEqual([1, 2, 3])
  // Laravel finds at the third attempt that there are no tries left, before it executes it.
  expect(attemptsOf(notes(), 'released for good')).toEqual([1, 2])
  expect(attemptsOf(notes(), 'deleted')).toEqual([1])
  expect(attemptsOf(notes(), 'failed')).toEqual([1])
  expect(attemptsOf(notes(), 'failed for no reason')).toEqual([1])

  const exceptions = (await failedJobs()).map(({ exception }) => exception.split(/[: ]/, 1)[0]).sort()
  expect(exceptions).toEqual([
    'Illuminate\\Queue\\ManuallyFailedException',
    'Illuminate\\Queue\\MaxAttemptsExceededException',
    'RuntimeException',
  ])
  const hooks = notes().filter(({ event }) => event === 'failed')
  expect(hooks).toHaveLength(3)
  expect(Object.fromEntries(hooks.map(({ name, error }) => [name, error]))).toEqual({
    failed: 'RuntimeException',
    'failed for no reason': null,
    'released for good': 'Illuminate\\Queue\\MaxAttemptsExceededException',
  })
  expect(await takeAll(broker, `${queue}.dead`)).toEqual([])
})

test('at the daemon’s last attempt the job fails, however many tries it has', async ({
  broker,
  queue,
  laravel,
  startDaemon,
}) => {
  const { pool, script, dispatch, notes, failedJobs } = await laravel()
  const later = Math.floor(Date.now() / 1_000) + 3_600
  await dispatch(
    { name: 'tries', does: Array(9).fill('throw'), set: { tries: 9 } },
    { name: 'unlimited', does: Array(9).fill('throw'), set: { tries: 0 } },
    { name: 'until', does: Array(9).fill('throw'), set: { retryUntil: later } },
    { name: 'released', does: Array(9).fill('release 0'), set: { tries: 9 } },
  )
  const daemon = await startDaemon({ socket: pool.socket, script, args: ARGS })
  await eventually('all are settled', () => executed(daemon.log) === 4)
  for (const name of ['tries', 'unlimited', 'until', 'released']) {
    expect(attemptsOf(notes(), name), name).toEqual([1, 2, 3, 4, 5])
    expect(
      notes().filter((note) => note.event === 'failed' && note.name === name),
      name,
    ).toHaveLength(1)
  }
  const failed = await failedJobs()
  expect(failed).toHaveLength(4)
  expect(failed.map(({ exception }) => exception).join()).toContain(
    'no more than 5 attempts (--max-attempts)',
  )
  expect(await takeAll(broker, `${queue}.dead`)).toEqual([])
})

test('encrypted, chained, unique and overlapping jobs are Laravel’s own business', async ({
  laravel,
  startDaemon,
}) => {
  const { pool, script, dispatch, notes } = await laravel()
  const unique = { class: 'UniqueStep', name: 'unique' } as const
  expect(await dispatch(unique, unique)).toBe(1)
  await dispatch(
    { class: 'EncryptedStep', name: 'encrypted' },
    { name: 'first', chain: [{ name: 'second' }, { name: 'third' }] },
    { class: 'LoneStep', name: 'alone' },
  )
  const daemon = await startDaemon({ socket: pool.socket, script, args: ARGS })
  await eventually('all are settled', () => executed(daemon.log) === 6)
  const names = notes()
    .filter(({ event }) => event === 'handle')
    .map(({ name }) => name)
  expect([...names].sort()).toEqual(['alone', 'encrypted', 'first', 'second', 'third', 'unique'])
  expect(names.indexOf('first')).toBeLessThan(names.indexOf('second'))
  expect(names.indexOf('second')).toBeLessThan(names.indexOf('third'))
  expect(await dispatch(unique)).toBe(1)
})

// The first is the worst that a pool can be: errors are printed, as if they were the answer, and logged nowhere.
test.for([
  { display_errors: 'on', log_errors: 'off', many: false },
  { display_errors: 'off', log_errors: 'on', many: false },
  { display_errors: 'on', log_errors: 'off', many: true },
  { display_errors: 'off', log_errors: 'on', many: true },
])(
  'a job that takes its process along is repeated, and given up in the end, with display_errors $display_errors, one of many: $many',
  async ({ many, ...errors }, { broker, queue, laravel, startDaemon }) => {
    const { pool, script, dispatch, notes, failedJobs } = await laravel({
      ini: { ...errors, memory_limit: '16M' },
    })
    const ways = ['exit', 'fatal', 'memory', 'loop']
    const set = { tries: 2, timeout: 1 }
    await dispatch(...ways.map((way) => ({ name: way, does: [way, way, way], set })))
    const args = many ? [...ARGS, ...MANY] : ARGS
    const daemon = await startDaemon({ socket: pool.socket, script, args })
    await eventually('all are settled', () => executed(daemon.log) === ways.length)
    for (const way of ways) {
      expect(attemptsOf(notes(), way), way).toEqual([1, 2])
      expect(
        notes().filter((note) => note.event === 'failed' && note.name === way),
        way,
      ).toHaveLength(1)
    }
    const failed = await failedJobs()
    expect(failed).toHaveLength(ways.length)
    for (const { exception } of failed) expect(exception).toContain('MaxAttemptsExceededException')
    expect(await takeAll(broker, `${queue}.dead`)).toEqual([])
  },
)

test('what is lost with the daemon’s last attempt is a dead letter', async ({
  broker,
  queue,
  laravel,
  startDaemon,
}) => {
  const { pool, script, dispatch, notes } = await laravel()
  await dispatch({ name: 'it', does: Array(9).fill('exit'), set: { tries: 9 } })
  const daemon = await startDaemon({ socket: pool.socket, script, args: ARGS })
  await daemon.waitForLine('Dead-lettered.')
  expect(attemptsOf(notes(), 'it')).toEqual([1, 2, 3, 4, 5])
  const [dead, ...others] = await takeAll(broker, `${queue}.dead`)
  expect(others).toEqual([])

  // Put back as it is, by a shovel or by hand, it has all its attempts again.
  await publishAll(broker, queue, [dead?.content], dead?.properties)
  await eventually('it is given up again', () => deadLettered(daemon.log) === 2)
  expect(attemptsOf(notes(), 'it')).toEqual([1, 2, 3, 4, 5, 1, 2, 3, 4, 5])
})

test('what is no job of Laravel is a dead letter, with the reason', async ({
  broker,
  queue,
  laravel,
  startDaemon,
}) => {
  const { pool, script, notes } = await laravel()
  const bodies = ['no JSON', '[]', '"text"', '{"job":"","data":[]}', '{"job":"A@b"}', '{"job":7,"data":[]}']
  await publishAll(broker, queue, bodies)
  const daemon = await startDaemon({ socket: pool.socket, script, args: ARGS })
  await eventually('all are given up', () => deadLettered(daemon.log) === bodies.length)
  const dead = await takeAll(broker, `${queue}.dead`)
  expect(dead.map(({ content }) => content.toString()).sort()).toEqual([...bodies].sort())
  for (const { content, properties } of dead) {
    expect(properties.headers).toMatchObject({ 'x-fpm-bridge-attempt': 1, 'x-fpm-bridge-status': 422 })
    expect(properties.headers?.['x-fpm-bridge-stderr']).toContain(
      content.toString() === 'no JSON' ? 'the body is no JSON' : 'it needs the fields "job"',
    )
  }
  expect(notes()).toEqual([])
})
