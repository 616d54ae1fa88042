import { expect } from 'vitest'
import { test } from '../support/laravel.ts'
import { again, DONE, GIVEN_UP, payloadOf, send, told } from '../support/laravel-requests.ts'

/* Single requests to worker-php/laravel/queue.php with payloads of the real illuminate/queue, and what it answers. */

test('the backoff is asked for, by the number of the attempt', async ({ broker, queue, laravel }) => {
  const app = await laravel()
  const does = Array(9).fill('throw')
  for (const [backoff, expected] of [
    [undefined, [0, 0, 0, 0]],
    [7, [7, 7, 7, 7]],
    [
      [1, 5, 10],
      [1, 5, 10, 10],
    ],
  ] as const) {
    const payload = await payloadOf(
      { name: 'it', does, set: { tries: 9, backoff: backoff ?? null } },
      app,
      broker,
      queue,
    )
    for (const [index, seconds] of expected.entries()) {
      expect(told(await send(app, payload, { attempt: index + 1 }))).toEqual(again(seconds))
    }
  }
  expect(await app.failedJobs()).toEqual([])
})

test('a release is for as long as the job says, or its middleware', async ({ broker, queue, laravel }) => {
  const app = await laravel()
  const released = await payloadOf(
    { name: 'it', does: ['release 42', 'release 42'], set: { tries: 2 } },
    app,
    broker,
    queue,
  )
  expect(told(await send(app, released))).toEqual(again(42))
  const second = await send(app, released, { attempt: 2 })
  expect(told(second)).toEqual(again(42))
  expect(second.stderr).toMatch(/attempt 2 of 100\): App\\Step [0-9a-f-]{36}: released/)

  const alone = await payloadOf({ class: 'LoneStep', name: 'alone' }, app, broker, queue)
  expect(await app.lock('alone')).toBe(true)
  expect(told(await send(app, alone))).toEqual(again(30))
  expect(app.notes().filter(({ name }) => name === 'alone')).toEqual([])
})

test('retryUntil counts instead of tries', async ({ broker, queue, laravel }) => {
  const app = await laravel()
  const now = Math.floor(Date.now() / 1_000)
  const job = { name: 'it', does: Array(9).fill('throw') }
  const set = (retryUntil: number) => ({ retryUntil, tries: 1 })
  const open = await payloadOf({ ...job, set: set(now + 3_600) }, app, broker, queue)
  expect(told(await send(app, open, { attempt: 5 }))).toEqual(again(0))

  const before = app.notes().length
  const over = await payloadOf({ ...job, set: set(now - 1) }, app, broker, queue)
  expect(told(await send(app, over))).toEqual(DONE)
  expect(
    app
      .notes()
      .slice(before)
      .map(({ event }) => event),
  ).toEqual(['JobProcessing', 'failed', 'JobFailed', 'JobExceptionOccurred', 'report'])
  expect(await app.failedJobs()).toHaveLength(1)
})

test('maxExceptions counts exceptions, not releases', async ({ broker, queue, laravel }) => {
  const app = await laravel()
  const does = ['release 0', 'throw', 'release 0', 'throw', 'throw']
  const set = { tries: 9, maxExceptions: 2 }
  const payload = await payloadOf({ name: 'it', does, set }, app, broker, queue)
  for (const attempt of [1, 2, 3]) expect(told(await send(app, payload, { attempt }))).toEqual(again(0))
  expect(await app.failedJobs()).toEqual([])
  expect(told(await send(app, payload, { attempt: 4 }))).toEqual(DONE)
  expect(await app.failedJobs()).toHaveLength(1)
})

test('executions by a worker of laravel-queue-rabbitmq count', async ({ broker, queue, laravel }) => {
  const app = await laravel()
  const does = Array(9).fill('throw')
  const payload = await payloadOf({ name: 'it', does, set: { tries: 3 } }, app, broker, queue)
  expect(told(await send(app, payload, { before: 1 }))).toEqual(again(0))
  expect(told(await send(app, payload, { before: 1, attempt: 2 }))).toEqual(DONE)
  const attempts = app.notes().filter(({ event }) => event === 'handle')
  expect(attempts.map(({ attempt }) => attempt)).toEqual([2, 3])
  expect(await app.failedJobs()).toHaveLength(1)
})

test('a job of a name that neither deletes nor releases itself is not done', async ({ laravel }) => {
  const app = await laravel()
  const body = JSON.stringify({ job: 'Illuminate\\Support\\Fluent@toArray', data: [], maxTries: 2 })
  expect(told(await send(app, body))).toEqual(again(0))
  expect(told(await send(app, body, { maxAttempts: 1 }))).toEqual(DONE)
  expect(await app.failedJobs()).toHaveLength(1)
})

test('neither a failed() that throws nor a log that cannot be written changes what became of the job', async ({
  broker,
  queue,
  laravel,
}) => {
  const app = await laravel({ environment: { REPORT_FAILS: '1' } })
  const thrown = { name: 'it', does: ['throw', 'throw', 'failed() throws'] }
  const payload = await payloadOf({ ...thrown, set: { tries: 2 } }, app, broker, queue)
  const first = await send(app, payload)
  expect(told(first)).toEqual(again(0))
  expect(first.stderr).toContain('RuntimeException: not today; not reported: RuntimeException: storage/logs')
  expect(told(await send(app, payload, { attempt: 2 }))).toEqual(DONE)
  const [failed, ...others] = await app.failedJobs()
  expect(others).toEqual([])
  expect(failed?.exception).toMatch(/^RuntimeException: not today in /)

  // The same at the daemon's last attempt, which Laravel knows nothing of.
  const unlimited = await payloadOf({ ...thrown, set: { tries: 0 } }, app, broker, queue)
  expect(told(await send(app, unlimited, { maxAttempts: 1 }))).toEqual(DONE)
  expect(await app.failedJobs()).toHaveLength(2)
})

test.for([
  ['keeps no failed jobs', { FAILED_DRIVER: 'null' }, 'the application keeps no failed jobs'],
  [
    'cannot keep them',
    { FAILED_TABLE: 'missing' },
    'the application could not keep it as a failed job: SQLSTATE',
  ],
] as const)(
  'where the application %s, a failed job is a dead letter',
  async ([, environment, reason], { broker, queue, laravel }) => {
    const app = await laravel({ environment })
    const payload = await payloadOf({ name: 'it', does: ['throw'] }, app, broker, queue)
    const answer = await send(app, payload)
    expect(told(answer)).toEqual(GIVEN_UP)
    expect(answer.stderr).toContain(`App\\Step has failed with RuntimeException: not today, and ${reason}`)
    expect(app.notes().filter(({ event }) => event === 'failed')).toHaveLength(1)
  },
)

test('a job that is released before it throws has the delay it asked for, while it has tries', async ({
  broker,
  queue,
  laravel,
}) => {
  const app = await laravel()
  const does = Array(2).fill('release-and-throw 42')
  const payload = await payloadOf({ name: 'it', does, set: { tries: 2, backoff: 7 } }, app, broker, queue)
  expect(told(await send(app, payload))).toEqual(again(42))
  expect(told(await send(app, payload, { attempt: 2 }))).toEqual(DONE)
  expect(await app.failedJobs()).toHaveLength(1)
})

test('a job that is deleted before it throws is gone, whoever keeps failed jobs', async ({
  broker,
  queue,
  laravel,
}) => {
  const app = await laravel({ environment: { FAILED_DRIVER: 'null' } })
  const payload = await payloadOf({ name: 'it', does: ['delete-and-throw'] }, app, broker, queue)
  expect(told(await send(app, payload))).toEqual(DONE)
  expect(app.notes().filter(({ event }) => event === 'failed')).toEqual([])
})

test('a form is no payload, and the log says what to change', async ({ laravel }) => {
  const answer = await send(await laravel(), 'job=it&daemonId=D-1f3a9c02')
  expect(told(answer)).toEqual(GIVEN_UP)
  expect(answer.stderr).toContain('is the daemon run with --payload raw?')
})
