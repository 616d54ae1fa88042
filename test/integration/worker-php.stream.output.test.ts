import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { test } from '../support/stream-requests.ts'

/* What a handler prints, and PHP, and others; and what PHP's settings do to it. */

/* What is printed outside of all buffers is no frame, whatever it looks like; what is within one is the body. */
const PRINTS = `switch ($do) {
  case 'print': echo 'done'; break;
  case 'flush': echo 'done'; ob_flush(); flush(); break;
  case 'php://output': file_put_contents('php://output', 'done'); break;
  case 'end': echo 'done'; while (ob_get_level() > 0) ob_end_flush(); echo 'stray'; flush(); break;
  case 'open': ob_start(); echo 'do'; ob_start(); echo 'ne'; break;
  case 'header': header('X-Bridge-Outcome: retry'); http_response_code(500); setcookie('a', 'b'); echo 'done'; break;
  case 'warn': echo $undefined, 'done'; break;
  case 'frame': echo str_repeat('0', 32), 'A', pack('NN', 9, 4), 'done'; break;
  case 'stray frame': ob_end_clean(); echo str_repeat('0', 32), 'A', pack('NN', 9, 4), 'done'; break;
  case 'much': echo str_repeat('x', 10 << 20); break;
}`
const STUFF = ['print', 'flush', 'php://output', 'end', 'open', 'header']

const prepended = join(temporaryFolder('prepended'), 'prepended.php')

test.for([
  ['nothing', ''],
  ['output_buffering', '4096'],
  ['zlib.output_compression', 'on'],
  ['implicit_flush', 'on'],
  ['display_errors', 'on'],
  ['output_handler', 'ob_gzhandler'],
  ['auto_prepend_file', prepended],
] as const)('each message has an output of its own, with %s', async ([setting, value], { openStream }) => {
  writeFileSync(prepended, '<?php echo "prepended"; flush();')
  const { client } = await openStream(PRINTS, {
    pool: { settings: setting === 'nothing' ? {} : { [`php_value[${setting}]`]: value } },
    params: { HTTP_ACCEPT_ENCODING: 'gzip' },
  })
  for (const one of [...STUFF, ...STUFF]) {
    expect(await client.ask({ do: one }), one).toMatchObject({ status: 200, outcome: 'ack', body: 'done' })
  }
  expect(await client.ask({ do: 'frame' })).toMatchObject({ outcome: 'ack' })
  expect(await client.ask({ do: 'stray frame' })).toMatchObject({ outcome: 'ack', body: '' })
  expect(await client.ask({ do: 'warn' })).toMatchObject({ outcome: 'ack' })
  expect(await client.ask({ do: 'print' })).toMatchObject({ body: 'done' })
  expect(client.between).toContain('stray')
  if (setting === 'auto_prepend_file') expect(client.between).toContain('prepended')
})

test('10 MB of output are the body, or nothing is', async ({ openStream }) => {
  const { client } = await openStream(PRINTS, { worker: 'outputLimit: 10 << 20' })
  const { body } = await client.ask({ do: 'much' })
  expect(body === 'x'.repeat(10 << 20)).toBe(true)
  expect(await client.ask({ do: 'print' })).toMatchObject({ body: 'done' })
})

test('of more than the limit nothing is sent, and the log says so', async ({ openStream }) => {
  const { client } = await openStream(PRINTS)
  expect(await client.ask({ do: 'much' })).toMatchObject({ outcome: 'ack', body: '' })
  expect(client.stderr).toContain('it printed more than 1048576 bytes, of which nothing is sent')
})

test('a buffer that cannot be ended ends the request: nothing can be said any more', async ({
  openStream,
}) => {
  const { client, executions } = await openStream('ob_start(null, 0, 0);')
  for (const name of ['one', 'two']) client.message({ do: name })
  expect([await client.rest(), await client.closed]).toEqual([[], 'ended'])
  expect(client.stderr).toContain('an output buffer was opened that cannot be ended')
  expect(executions()).toHaveLength(1)
})

test('one that is open from the start keeps the worker from beginning', async ({ connectStream }) => {
  const { client } = await connectStream('', { before: 'ob_start(null, 0, 0);' })
  client.end()
  expect([await client.rest(), await client.closed]).toEqual([[], 'ended'])
  expect(client.stderr).toContain('an output buffer is open that cannot be ended (default output handler)')
})

test('php://input is the request: who reads it waits for its end, and takes no message from the worker', async ({
  openStream,
}) => {
  const { client, executions } = await openStream(
    `if ($do === 'read') echo strlen(fread(fopen('php://input', 'r'), 10));
     if ($do === 'read all') echo str_contains(file_get_contents('php://input'), 'three') ? 'all' : 'some';`,
  )
  expect(await client.ask({ do: 'one' })).toMatchObject({ outcome: 'ack' })
  for (const name of ['read all', 'three']) client.message({ do: name })
  await eventually('the second is executed', () => executions().length === 2)
  client.end()
  client.end()
  expect(await client.answer(2)).toMatchObject({ outcome: 'ack', body: 'all' })
  expect(await client.answer(3)).toMatchObject({ outcome: 'ack' })
  expect([await client.rest(), await client.closed]).toEqual([[], 'ended'])
})
