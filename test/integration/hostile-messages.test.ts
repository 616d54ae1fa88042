import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { expect } from 'vitest'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { largeBody, SHAPES } from '../support/large-bodies.ts'
import { publishAll, takeAll } from '../support/messages.ts'
import { readRecords, recordScript } from '../support/records.ts'

/* Messages that are not what they say, or want to be more than messages, on their whole way to a script. */

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** An object of exactly so many bytes. */
const ofBytes = (length: number) => `{"a":"${'x'.repeat(length - 8)}"}`

const fields = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, index]))

test('a form is made of the body alone, whatever the message calls it', async ({
  broker,
  queue,
  sharedPool,
  startDaemon,
}) => {
  const executed = [
    { body: '{"number":1}', contentType: 'application/x-www-form-urlencoded' },
    { body: '{"number":2}', contentType: 'text/plain', contentEncoding: 'gzip' },
    { body: '{"number":3,"__proto__":{"x":1},"constructor":"y","number":4}' },
    { body: '{"number":9007199254740993,"nul":"a\\u0000b"}' },
    { body: JSON.stringify({ number: 5, ...fields(2_000) }) },
  ]
  const refused = [
    { body: 'number=6', contentType: 'application/json' },
    { body: gzipSync('{"number":7}'), contentType: 'application/json', contentEncoding: 'gzip' },
  ]
  const all = [...executed, ...refused]
  await publishAll(
    broker,
    queue,
    all.map(({ body }) => body),
    (index) => ({ messageId: `M-${index}`, ...all[index], body: undefined }),
  )
  const daemon = await startDaemon({ script: recordScript, args: ['--daemon-id', 'D-form'] })
  await eventually('all are settled', () => ended(daemon.log) === all.length)

  const posts = new Map(
    readRecords(sharedPool.workerLog, queue).map(({ params, post }) => [params['AMQP_MESSAGE_ID'], post]),
  )
  const daemonId = 'D-form'
  expect(posts.get('M-0')).toEqual({ number: '1', daemonId })
  expect(posts.get('M-1')).toEqual({ number: '2', daemonId })
  expect(Object.entries(posts.get('M-2') ?? {})).toEqual([
    ['number', '4'],
    ['__proto__', { x: '1' }],
    ['constructor', 'y'],
    ['daemonId', daemonId],
  ])
  expect(posts.get('M-3')).toEqual({ number: '9007199254740993', nul: 'a\0b', daemonId })
  // PHP's max_input_vars: it drops the end of a long form, and our own field with it.
  expect(posts.get('M-4')).toMatchObject({ number: '5', f998: '998' })
  expect(Object.keys(posts.get('M-4') ?? {}).length).toBeLessThanOrEqual(1_001)
  expect(posts.size).toBe(executed.length)
  const reasons = (await takeAll(broker, `${queue}.dead`)).map(({ properties }) => [
    properties.messageId,
    properties.headers?.['x-fpm-bridge-reason'],
  ])
  expect(reasons.sort()).toEqual([
    ['M-5', expect.stringContaining('it looks like a form already')],
    ['M-6', expect.stringContaining('it is compressed')],
  ])
})

test('with --payload raw the body passes byte for byte, compressed or empty', async ({
  broker,
  queue,
  sharedPool,
  startDaemon,
}) => {
  const bodies = [gzipSync('{"number":7}'), Buffer.alloc(0), Buffer.from('\0\xff\r\n', 'latin1')]
  await publishAll(broker, queue, bodies, (index) => ({
    messageId: `M-${index}`,
    contentType: 'application/octet-stream',
    contentEncoding: 'gzip',
  }))
  const daemon = await startDaemon({ script: recordScript, args: ['--payload', 'raw'] })
  await eventually('all are executed', () => count(daemon.log, 'Executed.') === bodies.length)
  const records = readRecords(sharedPool.workerLog, queue)
  for (const [index, body] of bodies.entries()) {
    const record = records.find(({ params }) => params['AMQP_MESSAGE_ID'] === `M-${index}`)
    expect(record).toMatchObject({ length: body.length, sha256: sha256(body), post: [] })
    expect(record?.params['AMQP_CONTENT_ENCODING']).toBe('gzip')
  }
})

test('a body as large as --max-body is executed, and one byte more is not', async ({
  broker,
  queue,
  sharedPool,
  startDaemon,
}) => {
  const sizes = [65_535, 65_536, 65_537]
  await publishAll(broker, queue, sizes.map(ofBytes))
  const daemon = await startDaemon({ script: recordScript, args: ['--max-body', '64KiB'] })
  await eventually('all are settled', () => ended(daemon.log) === sizes.length)
  const lengths = readRecords(sharedPool.workerLog, queue).map(({ post }) => String(post['a']).length + 8)
  expect(lengths.sort()).toEqual([65_535, 65_536])
  const [dead, ...others] = await takeAll(broker, `${queue}.dead`)
  expect([dead?.content.length, others]).toEqual([65_537, []])
})

test('a body of more members than the heap would have room for ends no daemon', async ({
  broker,
  queue,
  sharedPool,
  startDaemon,
}) => {
  const shape = SHAPES['short keys']
  if (shape === undefined) throw new Error('There is no such shape')
  await publishAll(broker, queue, [largeBody(shape, 28_000_000), '{"number":7}'])
  const environment = { NODE_OPTIONS: '--max-old-space-size=256' }
  const daemon = await startDaemon({ script: recordScript, environment })
  await eventually('both are settled', () => ended(daemon.log) === 2)
  expect(readRecords(sharedPool.workerLog, queue).map(({ post }) => post['number'])).toEqual(['7'])
  const [dead] = await takeAll(broker, `${queue}.dead`)
  expect(dead?.properties.headers?.['x-fpm-bridge-reason']).toBe(
    'the JSON body has more than 1048576 members at once',
  )
})

test('no header, property or routing key names a variable of its own, or steers PHP', async ({
  broker,
  queue,
  sharedPool,
  startDaemon,
}) => {
  const headers = {
    PHP_ADMIN_VALUE: 'auto_prepend_file=php://input',
    PHP_VALUE: 'precision=3',
    SCRIPT_FILENAME: '/etc/passwd',
    DOCUMENT_ROOT: '/',
    CONTENT_LENGTH: '1',
    REQUEST_METHOD: 'GET',
    Proxy: 'http://example.net',
    hasOwnProperty: 'x',
    nested: { list: [1, 'two', { three: 3.5 }], text: 'a\r\nb' },
  }
  const hostile = { headers, correlationId: 'a\0b', type: 'a\r\nSCRIPT_FILENAME: /etc/passwd', appId: 'fine' }
  await publishAll(broker, queue, [{ number: 1 }, { number: 2 }], (index) =>
    index === 0 ? { messageId: 'M-0', ...hostile } : { messageId: 'M-1' },
  )
  // One after the other: PHP_VALUE would persist in a child.
  const daemon = await startDaemon({ script: recordScript, args: ['--concurrency', '1'] })
  await eventually('both are executed', () => count(daemon.log, 'Executed.') === 2)
  const [first, second] = readRecords(sharedPool.workerLog, queue)
  expect(first?.post).toMatchObject({ number: '1' })
  const { AMQP_APP_ID: appId, ...params } = first?.params ?? {}
  expect([JSON.parse(params['AMQP_HEADERS'] ?? ''), appId]).toEqual([headers, 'fine'])
  // All else that the two have, they have in common.
  expect(Object.keys(params).sort()).toEqual(Object.keys(second?.params ?? {}).sort())
  expect(params).toMatchObject({ SCRIPT_FILENAME: recordScript, REQUEST_METHOD: 'POST' })
  const warnings = daemon.log.filter(({ level }) => level === 'warn').map(({ message }) => message)
  expect(warnings.sort()).toEqual([
    'AMQP_CORRELATION_ID is left out: it has a control character',
    'AMQP_TYPE is left out: it has a control character',
  ])
})

function ended(log: readonly { message: string }[]): number {
  return count(log, 'Executed.') + count(log, 'Dead-lettered.')
}
