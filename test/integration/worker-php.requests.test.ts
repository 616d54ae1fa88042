import { expect } from 'vitest'
import { markerOf, test } from '../support/worker-requests.ts'

/* Single requests to a script of worker-php, and all that it answers: also to those who are not the daemon. */

test('a success is 200 and a marker, with what the handler printed as the body', async ({ ask }) => {
  const response = await ask("header('Content-Type: text/csv'); echo 'a,b'; ob_flush(); echo ',c';")
  expect(response).toMatchObject({ status: 200, stderr: '' })
  expect(markerOf(response)).toEqual(['ack'])
  expect(response.headers.get('retry-after')).toBeUndefined()
  expect(response.headers.get('content-type')?.[0]).toMatch(/^text\/csv/)
  expect(response.body.toString()).toBe('a,b,c')
})

test('too long an output is left out as a whole, and the log says so', async ({ ask }) => {
  const php = "echo str_repeat('x', 100);"
  expect((await ask(php, {}, { worker: 'outputLimit: 100' })).body).toHaveLength(100)
  const response = await ask(php, {}, { worker: 'outputLimit: 99' })
  expect([markerOf(response), response.body.toString()]).toEqual([['ack'], ''])
  expect(response.stderr).toContain('printed more than 99 bytes, of which nothing is sent')
})

test('a failure has no body of its own making, and no header of the handler’s that decides', async ({
  ask,
}) => {
  const response = await ask("header('Retry-After: 5'); echo 'secret'; throw new \\Exception('secret');")
  expect(response.status).toBe(500)
  expect(markerOf(response)).toEqual(['retry'])
  expect(response.headers.get('retry-after')).toBeUndefined()
  expect(response.body.toString()).toBe('')
})

test('Retry names its seconds, Reject its reason', async ({ ask }) => {
  const retry = await ask('throw new Retry(90);')
  expect([retry.status, markerOf(retry), retry.headers.get('retry-after')]).toEqual([503, ['retry'], ['90']])
  const reject = await ask("throw new Reject('no such invoice');")
  expect([reject.status, markerOf(reject), reject.body.toString()]).toEqual([
    422,
    ['dead-letter'],
    'no such invoice\n',
  ])
})

test('Hold says so, and for how long', async ({ ask }) => {
  const hold = await ask("throw new Hold(30, 'the database is away');")
  expect([hold.status, markerOf(hold), hold.headers.get('retry-after')]).toEqual([503, ['hold'], ['30']])
  expect(hold.stderr).toContain('): the database is away')
})

test('a handler may say what the message is about, and the first 200 printable bytes are sent', async ({
  ask,
}) => {
  const response = await ask(
    "Subject::set('App\\One'); Subject::set(\"App\\\\Two\\r\\n\\0\" . str_repeat('x', 300));",
  )
  expect(response.headers.get('x-bridge-subject')).toEqual([`App\\Two ${'x'.repeat(192)}`.slice(0, 200)])
  const failed = await ask("Subject::set('App\\One'); exit;")
  expect([markerOf(failed), failed.headers.get('x-bridge-subject')]).toEqual([['retry'], ['App\\One']])
})

test('an exception of many lines is one line in the log, of bounded length', async ({ ask }) => {
  const { stderr } = await ask('throw new \\Exception("one\\ntwo\\r\\nthree" . str_repeat(\'x\', 10000));')
  expect(stderr).toContain('Exception: one two threexxx')
  expect(stderr).not.toContain('\n')
  expect(stderr.length).toBeLessThan(4_200)
})

test('what cannot be read is rejected with the reason', async ({ ask }) => {
  const response = await ask('', { params: { CONTENT_TYPE: 'text/plain' } })
  expect([response.status, markerOf(response)]).toEqual([422, ['dead-letter']])
  expect(response.stderr).toContain("the content type is 'text/plain'")
})

test('past its deadline a message is not executed', async ({ ask }) => {
  const now = Math.floor(Date.now() / 1_000)
  const late = await ask('', { params: { AMQP_DEADLINE: String(now - 1) } })
  expect([late.status, markerOf(late), late.executions()]).toEqual([503, ['retry'], []])
  expect(late.stderr).toContain('its deadline had passed before it came to run')
  // The daemon compares it with its own clock.
  expect(Number(late.headers.get('x-bridge-clock'))).toBeGreaterThanOrEqual(now)
  const options = { worker: 'obeyDeadline: false' }
  expect((await ask('', { params: { AMQP_DEADLINE: String(now - 1) } }, options)).executions()).toHaveLength(
    1,
  )
  expect((await ask('', { params: { AMQP_DEADLINE: String(now + 60) } })).executions()).toHaveLength(2)
})

test('a clock that is behind the daemon’s is told of, and refuses nothing', async ({ ask }) => {
  const now = Math.floor(Date.now() / 1_000)
  const sentIn = (seconds: number) => ({ AMQP_DEADLINE: String(now + seconds + 60), AMQP_TIMEOUT: '60' })
  const behind = await ask('', { params: sentIn(86_400) })
  expect(behind.stderr).toMatch(/the clock of this host is 86(400|39\d) s behind the daemon's/)
  expect([markerOf(behind), behind.headers.get('x-bridge-clock')]).toEqual([['ack'], undefined])
  expect((await ask('', { params: sentIn(4) })).stderr).toBe('')
  expect((await ask('', { params: sentIn(-30) })).executions()).toHaveLength(3)
})

test.for(['', '/dev/null'])(
  'after a warning that PHP prints at its start nothing is executed, and the daemon hears of a fatal error (error_log: %j)',
  async (errorLog, { askOf }) => {
    const ini = {
      display_errors: 'on',
      display_startup_errors: 'on',
      post_max_size: '1K',
      error_log: errorLog,
    }
    const ask = await askOf({ ini: { ...ini, log_errors: 'off' } })
    const body = JSON.stringify({ do: 'it', text: 'x'.repeat(2_000) })
    const response = await ask('', { body })
    expect([response.status, markerOf(response), response.executions()]).toEqual([200, undefined, []])
    expect(response.stderr).toMatch(
      /PHP Fatal error: {2}fpm-bridge: not executed: .* at its start \(.*POST Content-Length of \d+ bytes exceeds/,
    )
    expect(markerOf(await ask('', { body: '{"do":"it"}' }))).toEqual(['ack'])
  },
)

test('what the worker says reaches the daemon also where PHP has an error log of its own', async ({
  askOf,
}) => {
  const ask = await askOf({ ini: { error_log: '/dev/null' } })
  expect((await ask("throw new Retry(0, 'not now');")).stderr).toContain('): not now')
})

test.for([
  ['no execution id', { AMQP_EXECUTION_ID: undefined }],
  ['no queue', { AMQP_QUEUE: undefined }],
  // What nginx makes of the request headers Amqp-Execution-Id, Amqp-Queue and Amqp-Daemon-Id.
  [
    'headers in place of params',
    {
      AMQP_EXECUTION_ID: undefined,
      AMQP_QUEUE: undefined,
      AMQP_DAEMON_ID: undefined,
      HTTP_AMQP_EXECUTION_ID: 'forged',
      HTTP_AMQP_QUEUE: 'commands',
      HTTP_AMQP_DAEMON_ID: 'D-1f3a9c02',
    },
  ],
  ['another method', { REQUEST_METHOD: 'GET' }],
] as const)('a request with %s is refused and runs nothing', async ([, params], { ask }) => {
  const response = await ask("echo 'ran';", { params })
  expect([response.status, markerOf(response), response.executions()]).toEqual([403, undefined, []])
  expect(response.body.toString()).toMatch(/^Refused: .+\.\n$/)
})
