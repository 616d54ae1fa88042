import { expect } from 'vitest'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { MANY, type Note, test } from '../support/laravel.ts'
import { takeAll } from '../support/messages.ts'

/* Jobs of Laravel, many in one request: what queue:work does between them, and what each job has for itself. */

const MODE = ['--ack', 'completed', '--payload', 'raw', '--require-marker', '--max-attempts', '5']
const ARGS = [...MODE, '--retry-delay', '10ms', '--retry-max-delay', '20ms', ...MANY]

const counts = (notes: readonly Note[]) => notes.filter(({ event }) => event === 'count')
const counted = (single: number) => ({ event: 'count', scoped: 1, single, timezone: 'Europe/Vienna' })

test('jobs share the application and its singletons, and have scoped instances and facades of their own', async ({
  laravel,
  startDaemon,
}) => {
  const { pool, script, dispatch, notes } = await laravel()
  await dispatch(
    { name: 'first', does: ['count'] },
    { name: 'untidy', does: ['leave-timezone'] },
    { name: 'second', does: ['count'] },
    { name: 'third', does: ['count'] },
  )
  const daemon = await startDaemon({ socket: pool.socket, script, args: ARGS })
  await eventually('all are executed', () => count(daemon.log, 'Executed.') === 4)
  expect(counts(notes())).toEqual([counted(1), counted(2), counted(3)])
})

test('each job has its own outcome, and its own tries', async ({ broker, queue, laravel, startDaemon }) => {
  const { pool, script, dispatch, notes, failedJobs } = await laravel()
  await dispatch(
    { name: 'returns' },
    { name: 'recovers', does: ['throw', 'return'], set: { tries: 2 } },
    { name: 'released', does: ['release 0', 'return'], set: { tries: 2 } },
    { name: 'exits', does: ['exit', 'return'], set: { tries: 2 } },
    { name: 'fails', does: ['fail'], set: { tries: 3 } },
    { name: 'never', does: ['throw', 'throw'], set: { tries: 2 } },
    { name: 'deleted', does: ['delete'] },
  )
  const daemon = await startDaemon({ socket: pool.socket, script, args: ARGS })
  await eventually('all are settled', () => count(daemon.log, 'Executed.') === 7)
  const attempts = (name: string) =>
    notes()
      .filter((note) => note.event === 'handle' && note.name === name)
      .map(({ attempt }) => attempt)
  for (const name of ['returns', 'fails', 'deleted']) expect([name, attempts(name)]).toEqual([name, [1]])
  for (const name of ['recovers', 'released', 'exits', 'never'])
    expect([name, attempts(name)]).toEqual([name, [1, 2]])
  const failed = (await failedJobs()).map(({ exception }) => exception.split(' in ', 1)[0])
  expect(failed.sort()).toEqual(['RuntimeException: no such invoice', 'RuntimeException: not today'])
  expect(await takeAll(broker, `${queue}.dead`)).toEqual([])
})

test('after a database connection was lost, the next job has a new application', async ({
  laravel,
  startDaemon,
}) => {
  const { pool, script, dispatch, notes } = await laravel()
  await dispatch(
    { name: 'first', does: ['count'] },
    { name: 'throws', does: ['throw'] },
    { name: 'second', does: ['count'] },
    { name: 'loses', does: ['lose-connection'] },
    { name: 'third', does: ['count'] },
  )
  const daemon = await startDaemon({ socket: pool.socket, script, args: ARGS })
  await eventually('all are settled', () => count(daemon.log, 'Executed.') === 5)
  expect(counts(notes())).toEqual([counted(1), counted(2), counted(1)])
})

test('a job’s timeout is its own', async ({ laravel, startDaemon }) => {
  const { pool, script, dispatch, notes } = await laravel()
  await dispatch(
    { name: 'short', set: { timeout: 1 } },
    { name: 'long', does: ['compute 1500'] },
    { name: 'stuck', does: ['loop'], set: { timeout: 1 } },
    { name: 'last' },
  )
  const daemon = await startDaemon({ socket: pool.socket, script, args: ARGS })
  await eventually('all are settled', () => count(daemon.log, 'Executed.') === 4)
  const handled = notes().filter(({ event }) => event === 'handle')
  expect(handled.map(({ name }) => name)).toEqual(['short', 'long', 'stuck', 'last'])
})

test('the context of the log is the job’s own', async ({ laravel, startDaemon }) => {
  const { pool, script, dispatch, notes } = await laravel({ environment: { LOG_NOTES: '1' } })
  await dispatch({ name: 'first' }, { name: 'second' })
  const daemon = await startDaemon({ socket: pool.socket, script, args: ARGS })
  await eventually('both are executed', () => count(daemon.log, 'Executed.') === 2)
  const executions = daemon.log.filter(({ message }) => message === 'Executed.')
  const shared = notes().filter(({ event }) => event === 'shareContext')
  expect(shared).toMatchObject(executions.map((line) => ({ execution_id: line['execution_id'] })))
  const events = notes().map(({ event }) => event)
  const between = events.slice(events.indexOf('handle'), events.lastIndexOf('shareContext'))
  expect(between).toContain('withoutContext')
})
