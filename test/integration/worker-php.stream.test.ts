import { expect } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { frameToWorker } from '../support/stream-frames.ts'
import { test } from '../support/stream-requests.ts'

/* Many messages in one request: what a handler does, and what the daemon is told, byte by byte. */

const ONE_OF_EACH = `switch ($do) {
  case 'print': echo 'done'; break;
  case 'subject': Subject::set("App\\\\Invoice\\n"); break;
  case 'retry': throw new Retry(30, 'later');
  case 'hold': throw new Hold(5, 'no database');
  case 'reject': echo 'nobody sees this'; throw new Reject('no number');
  case 'throw': throw new \\Exception('oh');
}`

test('one message after the other, each with its outcome, until stdin ends', async ({ openStream }) => {
  const { client, executions } = await openStream(ONE_OF_EACH)
  expect(await client.ask({ do: 'print' })).toMatchObject({ status: 200, outcome: 'ack', body: 'done' })
  const subject = await client.ask({ do: 'subject' })
  expect(subject).toMatchObject({ status: 200, outcome: 'ack', body: '' })
  expect(subject.headers.get('x-bridge-subject')).toEqual(['App\\Invoice'])
  const retry = await client.ask({ do: 'retry' })
  expect(retry).toMatchObject({ status: 503, outcome: 'retry', body: '' })
  expect(retry.headers.get('retry-after')).toEqual(['30'])
  expect(retry.headers.get('x-bridge-subject')).toBeUndefined()
  const hold = await client.ask({ do: 'hold' })
  expect(hold).toMatchObject({ status: 503, outcome: 'hold' })
  expect(hold.headers.get('retry-after')).toEqual(['5'])
  const reject = await client.ask({ do: 'reject' })
  expect(reject).toMatchObject({ status: 422, outcome: 'dead-letter', body: 'no number\n' })
  expect(await client.ask('no JSON')).toMatchObject({ status: 422, outcome: 'dead-letter' })
  expect(await client.ask({ do: 'throw' })).toMatchObject({ status: 500, outcome: 'retry', body: '' })
  expect(await client.ask({ do: 'print' })).toMatchObject({ status: 200, outcome: 'ack', body: 'done' })
  client.end()
  expect([await client.rest(), await client.closed]).toEqual([[], 'ended'])
  expect(executions()).toHaveLength(7)
  for (const text of ['later', 'no database', 'no number', 'Exception: oh in ']) {
    expect(client.stderr).toContain(
      `(execution e6b1a1f2-0000-4000-8000-000000000001, attempt 1 of 5): ${text}`,
    )
  }
})

test('a message has the params of its frame, over those of the request', async ({ openStream }) => {
  const { client } = await openStream(
    `echo json_encode([$message->queue, $message->attempt, $message->messageId, $message->contentType, $message->body(),
       $message->headers, $_SERVER['FPM_BRIDGE_NONCE'] ?? 'gone']);`,
    { params: { AMQP_ATTEMPT: '7', AMQP_MESSAGE_ID: 'of the request' } },
  )
  const head = { AMQP_MESSAGE_ID: 'm-1', AMQP_ATTEMPT: '2', AMQP_HEADERS: '{"a":[1]}' }
  const { body } = await client.ask({ do: 'ü' }, head)
  expect(JSON.parse(body)).toEqual([
    'commands',
    2,
    'm-1',
    'application/json',
    '{"do":"ü"}',
    { a: [1] },
    'gone',
  ])
  const second = await client.ask('', { CONTENT_TYPE: 'application/x-www-form-urlencoded' })
  expect(JSON.parse(second.body)).toEqual([
    'commands',
    1,
    'of the request',
    'application/x-www-form-urlencoded',
    '',
    [],
    'gone',
  ])
})

test('frames may be cut anywhere', async ({ openStream }) => {
  const { client } = await openStream('echo $message->body();')
  const cut = client.send.bind(client)
  client.send = (bytes) => {
    for (const byte of bytes) cut(Buffer.from([byte]))
  }
  expect(await client.ask({ do: 'one' })).toMatchObject({ body: '{"do":"one"}' })
  client.send = cut
  const long = JSON.stringify({ do: 'x'.repeat(900_000) })
  expect((await client.ask(long)).body.length).toBe(long.length)
})

test('a bundle is its messages, one after the other', async ({ openStream }) => {
  const { client } = await openStream('echo $message->body();')
  client.bundle({ do: 'one' }, { do: 'two' }, { do: 'three' })
  for (const [index, task] of ['one', 'two', 'three'].entries()) {
    expect(await client.answer(index + 1)).toMatchObject({ body: `{"do":"${task}"}` })
  }
  expect(await client.ask({ do: 'four' })).toMatchObject({ body: '{"do":"four"}' })
})

test('a bundle that ends within a frame ends the request', async ({ openStream }) => {
  const { client, executions } = await openStream('')
  const frame = frameToWorker('M', 1, '{}', 'body')
  client.send(frameToWorker('B', 0, '', frame.subarray(0, -1)))
  expect(await client.expect('end', 1)).toBe('a bundle ends within a frame')
  client.end()
  expect([await client.rest(), await client.closed, executions()]).toEqual([[], 'ended', []])
})

test('a form is what PHP makes of one, and what it drops of it is noticed', async ({ openStream }) => {
  const { client } = await openStream('echo json_encode($message->payload());', { do: "'-'" })
  const form = { CONTENT_TYPE: 'application/x-www-form-urlencoded' }
  expect(await client.ask('a%5Bb%5D=1&c.d=%C3%BC&daemonId=D-1f3a9c02', form)).toMatchObject({
    outcome: 'ack',
    body: '{"a":{"b":"1"},"c_d":"\\u00fc"}',
  })
  const many = Array.from({ length: 1_000 }, (_, index) => `f${index}=1`).join('&')
  const dropped = await client.ask(`${many}&daemonId=D-1f3a9c02`, form)
  expect(dropped).toMatchObject({ status: 422, outcome: 'dead-letter' })
  expect(dropped.body).toContain('1001 fields were sent, 1000 are left')
})

test('what is not whole, too late, or not from a bridge is not executed', async ({ openStream }) => {
  const { client, executions } = await openStream('')
  expect(await client.ask({}, { AMQP_BODY_LENGTH: '3' })).toMatchObject({ status: 503, outcome: 'retry' })
  const late = await client.ask({}, { AMQP_DEADLINE: '1000000000' })
  expect(late).toMatchObject({ status: 503, outcome: 'retry' })
  expect(Number(late.headers.get('x-bridge-clock')?.[0])).toBeGreaterThan(1_600_000_000)
  expect(await client.ask({}, { AMQP_EXECUTION_ID: '' })).toMatchObject({ status: 403, outcome: undefined })
  expect(executions()).toEqual([])
  expect(await client.ask({})).toMatchObject({ outcome: 'ack' })
})

test('a lock keeps what is done from being executed again', async ({ openStream }) => {
  const worker = 'lock: new FileLock(__DIR__)'
  const { client, executions } = await openStream("if ($do === 'throw') throw new Retry();", { worker })
  expect(await client.ask({ do: 'throw' }, { AMQP_MESSAGE_ID: 'a' })).toMatchObject({ outcome: 'retry' })
  expect(await client.ask({}, { AMQP_MESSAGE_ID: 'a' })).toMatchObject({ outcome: 'ack' })
  expect(await client.ask({}, { AMQP_MESSAGE_ID: 'a' })).toMatchObject({ outcome: 'ack' })
  expect(await client.ask({})).toMatchObject({ outcome: 'dead-letter' })
  expect(executions()).toHaveLength(2)
})

test.for(['2', '', '1.0'])('a version that it does not speak: "%s"', async (version, { connectStream }) => {
  const { client, executions } = await connectStream('', { params: { FPM_BRIDGE_STREAM: version } })
  await eventually('it has answered', () => client.between.includes('Status: 500'))
  client.end()
  expect([await client.rest(), await client.closed]).toEqual([[], 'ended'])
  expect(client.stderr).toContain(`the daemon speaks version ${version} of the message stream`)
  expect(executions()).toEqual([])
})

test('what is no frame ends the request, with a word', async ({ openStream }) => {
  const { client } = await openStream('')
  await client.ask({})
  client.send(Buffer.from('GET / HTTP/1.1\r\n'))
  expect(await client.expect('end', 1)).toContain('what has come is no frame: 474554')
  expect(client.stderr).toContain('what has come is no frame')
})

test('a number that has been ends the request: a message is not executed twice', async ({ openStream }) => {
  const { client, executions } = await openStream('')
  await client.ask({})
  client.sequence = 0
  client.message({})
  expect(await client.expect('end', 1)).toContain('a frame M 1 has come after message 1')
  expect(executions()).toHaveLength(1)
})
