import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { signalChildren } from '../support/processes.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { StreamClient } from '../support/stream-client.ts'
import { test } from '../support/stream-requests.ts'
import { waitForFile } from '../support/worker-script.ts'

/* Many messages in one request, and a script that ends in the middle of one. */

const LOG = { log_errors: 'on', memory_limit: '32M' }

test.for([
  ['exit', 'exit(0);', 'exit', 'the handler has called exit'],
  ['a fatal error', 'eval("class B implements \\Countable {}");', 'Class B contains 1 abstract method', ''],
  ['the end of memory', '$all = []; while (true) $all[] = str_repeat("x", 1000);', 'Allowed memory size', ''],
  ['the end of all memory', '$last = null; while (true) $last = [$last];', 'Allowed memory size', ''],
  [
    'the end of memory, printed',
    'while (true) { ob_start(); echo str_repeat("x", 100_000); }',
    'Allowed memory',
    '',
  ],
  ['the end of time', 'set_time_limit(1); while (true);', 'Maximum execution time of 1 second', ''],
] as const)(
  '%s within a handler: its answer says so, and those behind it have not begun',
  async ([, php, reason, log], { openStream }) => {
    const options = { pool: { ini: LOG }, worker: 'lock: new FileLock(__DIR__)' }
    const stream = await openStream(`echo 'printed'; if ($do === 'end') { ${php} }`, options)
    const { client, executions } = stream
    const id = (name: string) => ({ AMQP_MESSAGE_ID: name })
    expect(await client.ask({}, id('a'))).toMatchObject({ outcome: 'ack' })
    for (const name of ['b', 'c', 'd']) client.message({ do: 'end' }, id(name))
    expect(await client.answer(2)).toMatchObject({ status: 500, outcome: 'retry', body: '' })
    expect(await client.expect('end', 2)).toContain(reason)
    expect(client.stderr).toContain(log || reason)
    client.close()
    expect(executions()).toHaveLength(2)
  },
)

test('the lock of a message that ends the script is given back', async ({ openStream }) => {
  const { client, pool } = await openStream("if ($do === 'end') exit; echo 'ran';", {
    worker: 'lock: new FileLock(__DIR__)',
    pool: { children: 2 },
  })
  const id = { AMQP_MESSAGE_ID: 'a' }
  expect(await client.ask({ do: 'end' }, id)).toMatchObject({ outcome: 'retry' })
  await client.expect('end', 1)
  // The first child still waits for the end of its request.
  const other = new StreamClient({ socket: pool.socket, script: join(pool.directory, 'handler.php') })
  await other.expect('hello', 0)
  expect(await other.ask({}, id)).toMatchObject({ outcome: 'ack', body: 'ran' })
  other.close()
})

test('a child that is killed has begun the oldest message alone', async ({ openStream }) => {
  const { client, pool, executions } = await openStream("if ($do === 'hang') sleep(30);")
  expect(await client.ask({ do: 'one' })).toMatchObject({ outcome: 'ack' })
  for (const name of ['hang', 'three', 'four']) client.message({ do: name })
  await eventually('the second is executed', () => executions().length === 2)
  signalChildren(pool.masterPid, 'SIGKILL')
  expect([await client.rest(), await client.closed]).toEqual([[], 'lost'])
  expect(executions().map((execution) => execution.do)).toEqual(['one', 'hang'])
})

test('each message has the time that the pool gives', async ({ openStream }) => {
  const { client } = await openStream(
    `if ($do === 'set') set_time_limit(1);
     for ($start = hrtime(true); hrtime(true) - $start < 700e6;);`,
    { pool: { ini: {}, settings: { 'php_value[max_execution_time]': 1 } } },
  )
  for (const name of ['one', 'set', 'three'])
    expect(await client.ask({ do: name })).toMatchObject({ outcome: 'ack' })
})

test('a limit of one message is not that of the next', async ({ openStream }) => {
  const { client } = await openStream(
    `if ($do === 'set') set_time_limit(1); else echo ini_get('max_execution_time');`,
    { pool: { settings: { 'php_value[max_execution_time]': 30 } } },
  )
  expect(await client.ask({ do: 'set' })).toMatchObject({ outcome: 'ack' })
  expect(await client.ask({ do: 'tell' })).toMatchObject({ body: '30' })
})

test('past the memory limit the request ends after the message', async ({ openStream }) => {
  const leak = "static $kept = []; if ($do === 'leak') $kept[] = str_repeat('x', 20 << 20);"
  const { client } = await openStream(leak, { pool: { ini: { memory_limit: '32M' } } })
  expect(await client.ask({})).toMatchObject({ outcome: 'ack' })
  for (const name of ['leak', 'next']) client.message({ do: name })
  expect(await client.answer(2)).toMatchObject({ outcome: 'ack' })
  expect(await client.expect('end', 2)).toMatch(/^memory: \d+ bytes are in use, and the limit is 16777216$/)
  // PHP reads what was left unread, and then waits for more, or for the end.
  client.end()
  client.end()
  expect(await client.rest()).toEqual([])
})

test('what a message has used and let go does not count, nor what the limit allows', async ({
  openStream,
}) => {
  const cycles = `static $kept = ''; if ($do === 'keep') $kept = str_repeat('x', 20 << 20);
    if ($do === 'cycle') { $a = new \\stdClass(); $a->self = $a; $a->much = str_repeat('x', 60 << 20); }`
  const { client } = await openStream(cycles, { worker: 'memoryLimit: 50 << 20' })
  for (const name of ['keep', 'cycle', 'next'])
    expect(await client.ask({ do: name })).toMatchObject({ outcome: 'ack' })
})

test('reset is called after each answer; what it throws ends the request', async ({ openStream }) => {
  const { client, executions } = await openStream('echo $GLOBALS["resets"]; ', {
    before: '$resets = 0;',
    worker: `reset: function () { global $resets; ob_start(); echo 'stray'; if (++$resets === 2) throw new \\Exception('no way'); }`,
  })
  for (const name of ['one', 'two', 'three']) client.message({ do: name })
  expect(await client.answer(1)).toMatchObject({ outcome: 'ack', body: '0' })
  expect(await client.answer(2)).toMatchObject({ outcome: 'ack', body: '1' })
  expect(await client.expect('end', 2)).toContain('Exception: no way in')
  expect(client.stderr).toContain('it cannot be cleaned up after a message: Exception: no way in')
  expect(executions()).toHaveLength(2)
})

test('an exit between two messages is told, and belongs to none', async ({ openStream }) => {
  const { client, executions } = await openStream('', { worker: 'reset: function () { exit; }' })
  for (const name of ['one', 'two']) client.message({ do: name })
  expect(await client.answer(1)).toMatchObject({ outcome: 'ack' })
  expect(await client.expect('end', 1)).toBe('exit')
  expect(executions()).toHaveLength(1)
})

test('fastcgi_finish_request() loses the answer, ends the request, and the log says so', async ({
  openStream,
}) => {
  const { client, pool, executions } = await openStream("if ($do === 'finish') fastcgi_finish_request();")
  for (const name of ['one', 'finish', 'three']) client.message({ do: name })
  expect(await client.answer(1)).toMatchObject({ outcome: 'ack' })
  expect([await client.rest(), await client.closed]).toEqual([[], 'ended'])
  const lost = 'its answer is lost: fastcgi_finish_request() has ended the request'
  await eventually('the log says so', () => pool.errorLog().includes(lost))
  expect(executions()).toHaveLength(2)
})

test.for(['unix', 'tcp'] as const)(
  'a daemon that goes away, over %s: nothing runs that was not running',
  async (listen, { openStream }) => {
    for (const ignore of [0, 1]) {
      for (const php of ['', 'while (ob_get_level() > 0) ob_end_clean(); echo "printed"; flush();']) {
        const gone = join(temporaryFolder('gone'), 'gone')
        const { client, executions, pool } = await openStream(`${waitForFile(gone)} ${php}`, {
          pool: { listen, settings: { 'php_value[ignore_user_abort]': ignore } },
        })
        for (const name of ['one', 'two', 'three']) client.message({ do: name })
        await eventually('the first is executed', () => executions().length === 1)
        // Over TCP, a connection that is closed in order takes one more write.
        if (listen === 'tcp') client.socket.resetAndDestroy()
        else client.close()
        await client.closed
        writeFileSync(gone, '')
        // The only child says hello when it is done with the other request.
        const next = new StreamClient({ socket: pool.socket, script: join(pool.directory, 'handler.php') })
        await next.expect('hello', 0)
        next.close()
        expect(executions().map((execution) => execution.do)).toEqual(['one'])
        expect(pool.errorLog()).not.toContain('fpm-bridge: message')
      }
    }
  },
)

test('an end within a frame: what has come of it is not executed', async ({ openStream }) => {
  const { client, pool, executions } = await openStream('', { do: "'it'" })
  await client.ask({})
  const send = client.send.bind(client)
  client.send = (bytes) => send(bytes.subarray(0, -1))
  client.message({})
  client.socket.end()
  const next = new StreamClient({ socket: pool.socket, script: join(pool.directory, 'handler.php') })
  await next.expect('hello', 0)
  next.close()
  expect(executions()).toHaveLength(1)
})

test('a body that does not fit into memory is answered', async ({ openStream }) => {
  const { client, executions } = await openStream('', {
    pool: { ini: { memory_limit: '16M', log_errors: 'on' } },
  })
  client.message('x'.repeat(20 << 20))
  expect(await client.answer()).toMatchObject({ status: 500, outcome: 'retry' })
  expect(await client.expect('end', 1)).toContain('Allowed memory size')
  expect(executions()).toEqual([])
})
