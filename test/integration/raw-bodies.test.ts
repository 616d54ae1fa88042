import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Options } from 'amqplib'
import { expect } from 'vitest'
import { count, HOLDING } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { publishAll, takeAll } from '../support/messages.ts'
import { md5, payloadRecords, payloadScript } from '../support/payload-records.ts'
import { countsOf } from '../support/queue-counts.ts'
import { mostAtOnce, readRecords, recordScript } from '../support/records.ts'
import { temporaryFolder } from '../support/run-folder.ts'

const MIB = 1024 * 1024
const raw = (...args: string[]) => ({ script: payloadScript, args: ['--payload', 'raw', ...args] })

const BOUNDARY = 'xyz'
const MULTIPART = [
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="a b"\r\n\r\none\r\n`,
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="f.txt"\r\n\r\nin a file\r\n`,
  `--${BOUNDARY}--\r\n`,
].join('')

interface Case {
  readonly what: string
  readonly body: Buffer | string
  readonly properties?: Options.Publish
  /** What php://input gives; the body unless said otherwise. */
  readonly input?: string
  readonly contentType: string
  readonly post?: unknown
  readonly files?: unknown
}

const OCTETS = 'application/octet-stream'
const FORM = 'application/x-www-form-urlencoded'

/** Their names are the ids of their messages. */
const CASES: readonly Case[] = [
  { what: 'nothing at all', body: '', contentType: OCTETS },
  { what: 'NUL bytes', body: Buffer.alloc(1_000), contentType: OCTETS },
  {
    what: 'bytes of all values',
    body: Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
    contentType: OCTETS,
  },
  { what: '65,535 bytes, which one record holds', body: randomBytes(65_535), contentType: OCTETS },
  { what: '65,536 bytes', body: randomBytes(65_536), contentType: OCTETS },
  {
    what: 'JSON',
    body: '{"a":1}',
    properties: { contentType: 'application/json' },
    contentType: 'application/json',
  },
  {
    what: 'a content type with parameters',
    body: 'x',
    properties: { contentType: 'text/plain; charset="utf-8"' },
    contentType: 'text/plain; charset="utf-8"',
  },
  {
    what: 'a form, which PHP decodes',
    body: 'a=1&b.c=2&d[]=3&d[]=%C3%A4',
    properties: { contentType: FORM },
    contentType: FORM,
    post: { a: '1', b_c: '2', d: ['3', 'ä'] },
  },
  {
    what: 'JSON labelled as a form, which PHP takes for one',
    body: '{"a":1}',
    properties: { contentType: FORM },
    contentType: FORM,
    post: { '{"a":1}': '' },
  },
  {
    what: 'a form labelled as JSON, which PHP leaves alone',
    body: 'a=1',
    properties: { contentType: 'application/json' },
    contentType: 'application/json',
  },
  {
    what: 'multipart, which PHP decodes, and has no php://input for',
    body: MULTIPART,
    properties: { contentType: `multipart/form-data; boundary=${BOUNDARY}` },
    input: '',
    contentType: `multipart/form-data; boundary=${BOUNDARY}`,
    post: { a_b: 'one' },
    files: { file: { name: 'f.txt', md5: md5('in a file') } },
  },
  {
    what: 'gzip, which nobody inflates',
    body: gzipSync('{"a":1}'),
    properties: { contentType: 'application/json', contentEncoding: 'gzip' },
    contentType: 'application/json',
  },
]

test('raw: a body arrives as it is, whatever it is', async ({ broker, queue, sharedPool, startDaemon }) => {
  for (const { what, body, properties } of CASES)
    await publishAll(broker, queue, [Buffer.from(body as string)], { ...properties, messageId: what })
  await startDaemon(raw())
  const records = await payloadRecords(sharedPool.workerLog, queue, CASES.length)
  for (const { what, body, properties, input = body, contentType, post = [], files = [] } of CASES) {
    const record = records.find(({ params }) => params['AMQP_MESSAGE_ID'] === what)
    expect(record, what).toMatchObject({ md5: md5(input), post, files })
    expect(record?.params, what).toMatchObject({
      CONTENT_TYPE: contentType,
      CONTENT_LENGTH: String(Buffer.from(body as string).length),
    })
    expect(record?.params['AMQP_CONTENT_ENCODING'], what).toBe(properties?.contentEncoding)
  }
})

test('multipart stays as it is where the pool has enable_post_data_reading off', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const workerLog = join(temporaryFolder('multipart'), 'worker.log')
  const pool = await ownPool({
    ini: { enable_post_data_reading: 'off' },
    environment: { WORKER_LOG: workerLog },
  })
  const contentType = `multipart/form-data; boundary=${BOUNDARY}`
  await publishAll(broker, queue, [MULTIPART], { contentType })
  await startDaemon({ socket: pool.socket, ...raw() })
  const [record] = await payloadRecords(workerLog, queue, 1)
  expect(record).toMatchObject({ md5: md5(MULTIPART), post: [], files: [] })
})

test.for(['form', 'raw'])(
  '%s: a body of --max-body is executed, one of a byte more is not',
  async (payload, { broker, queue, sharedPool, startDaemon }) => {
    const ofSize = (bytes: number) => `["${'x'.repeat(bytes - 4)}"]`
    await publishAll(broker, queue, [ofSize(65_537), ofSize(65_536)])
    const daemon = await startDaemon({
      script: payloadScript,
      args: ['--payload', payload, '--max-body', '64KiB', '--daemon-id', 'D-1'],
    })
    const [record] = await payloadRecords(sharedPool.workerLog, queue, 1)
    const arrived = payload === 'raw' ? ofSize(65_536) : `0=${'x'.repeat(65_532)}&daemonId=D-1`
    expect(record?.md5).toBe(md5(arrived))
    await daemon.waitForLine('Dead-lettered.')
    const [dead, ...others] = await takeAll(broker, `${queue}.dead`)
    expect(dead?.content.toString()).toBe(ofSize(65_537))
    expect(dead?.properties.headers?.['x-fpm-bridge-reason']).toBe(
      'the body has 65537 bytes; --max-body allows 65536',
    )
    expect(others).toEqual([])
  },
)

test.for([
  { size: 32 * MIB, count: 4, concurrency: 2, ack: 'completed' },
  { size: 64 * MIB, count: 2, concurrency: 1, ack: 'dispatched' },
])(
  'raw: $count bodies of $size bytes pass, $concurrency at a time, and the daemon has no more in memory',
  { timeout: 180_000 },
  async ({ size, count, concurrency, ack }, { broker, queue, ownPool, startDaemon }) => {
    const workerLog = join(temporaryFolder('large'), 'worker.log')
    // Beyond post_max_size PHP warns, and yet has it all in php://input.
    const pool = await ownPool({ environment: { WORKER_LOG: workerLog } })
    const bodies = Array.from({ length: count }, (_, index) => patterned(size, index))
    // Not persistent: on a disk with little room the broker would fail, and with it all tests beside this one.
    const properties = { contentType: 'video/mp4', persistent: false }
    for (const body of bodies) await publishAll(broker, queue, [body], properties)
    const daemon = await startDaemon({
      socket: pool.socket,
      ...raw('--concurrency', String(concurrency), '--prefetch', String(concurrency), '--ack', ack),
    })
    const records = await payloadRecords(workerLog, queue, count)
    expect(records.map((record) => record.md5).sort()).toEqual(bodies.map(md5).sort())
    expect(records.map(({ params }) => params['CONTENT_LENGTH'])).toEqual(Array(count).fill(String(size)))
    // A body comes in frames, and is twice in memory while they are put together; the last one may still be there, too.
    expect(peakBytes(daemon.pid)).toBeLessThan(3 * concurrency * size + 128 * MIB)
  },
)

test('of large forms no more are in flight than --max-bytes-in-flight allows, whatever the concurrency', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const workerLog = join(temporaryFolder('forms'), 'worker.log')
  const pool = await ownPool({ children: 8, environment: { WORKER_LOG: workerLog } })
  await pool.stop()
  // 2 MiB each, of characters that are six bytes in a form: 8 MiB as they are counted.
  const body = { sleepMs: 100, a: 'é'.repeat(MIB) }
  await publishAll(broker, queue, Array(8).fill(body))
  const args = ['--max-bytes-in-flight', '16MiB', '--concurrency', '8', '--ack', 'completed']
  const daemon = await startDaemon({ socket: pool.socket, script: recordScript, args })
  await daemon.waitForLine(HOLDING)
  await eventually('all are held', async () => (await countsOf(broker, queue))?.unacked === 8)
  await pool.start()
  await eventually('all are executed', () => count(daemon.log, 'Executed.') === 8)
  expect(mostAtOnce(readRecords(workerLog, queue))).toBeLessThanOrEqual(2)
})

/** Bytes that differ from place to place, and quickly made. */
function patterned(size: number, seed: number): Buffer {
  const block = randomBytes(1_048_573)
  block[0] = seed
  return Buffer.alloc(size, block)
}

/** The most that a process ever had resident. */
function peakBytes(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}
