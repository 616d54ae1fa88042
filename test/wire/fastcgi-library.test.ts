import { afterEach, describe, expect, it } from 'vitest'
import { COMPLETE, closePools, exchange, HEAD } from './library-exchange.ts'
import { answering, endRequest, record, streamOf, TYPE } from './scripted-pool.ts'

/*
 * The adapter of npm's fastcgi-client against pools that do what php-fpm does rarely, or never.
 *
 * Left out, since it would end this very process: an answer whose chunk ends inside a record header, unless the chunk
 * began with that header, or inside the eight bytes of endRequest. The package reads past the end of its buffer there
 * and throws out of a data handler. A pool that never closes the connection, or never answers, is waited for without
 * end: the package has no timeout.
 */

afterEach(closePools)

describe('a complete answer', () => {
  it('in one chunk', async () => {
    const { response } = await exchange(answering(COMPLETE))
    expect(response).toEqual({
      status: 201,
      headers: new Map([
        ['status', ['201 Created']],
        ['x-bridge-outcome', ['ack']],
      ]),
      body: Buffer.from('hello'),
      bodyTruncated: false,
      stderr: 'warned',
      stderrTruncated: false,
      appStatus: 0,
      timings: { connect: expect.any(Number), firstByte: expect.any(Number), total: expect.any(Number) },
    })
  })

  it('to a request that arrives as it was given', async () => {
    const { pool } = await exchange(answering(COMPLETE), {
      params: { BOTH: 'request', EMPTY: '', UTF8: 'ü', LONG: 'x'.repeat(200) },
      body: Buffer.from([0, 255, 10]),
    })
    expect(Object.fromEntries(pool.requests[0]?.params ?? [])).toEqual({
      FIXED: 'f',
      BOTH: 'request',
      EMPTY: '',
      UTF8: 'ü',
      LONG: 'x'.repeat(200),
      CONTENT_LENGTH: '3',
    })
    expect(pool.requests[0]?.stdin).toEqual(Buffer.from([0, 255, 10]))
  })

  it.each([0, 1, 65_535, 65_536, 131_070, 131_071, 2_097_152])('to a body of %d bytes', async (length) => {
    const body = Buffer.alloc(length, 'abcdefg')
    const { pool, response } = await exchange(answering(COMPLETE), { body })
    expect(response.status).toBe(201)
    expect(pool.requests[0]?.params.get('CONTENT_LENGTH')).toBe(String(length))
    expect(pool.requests[0]?.stdin.equals(body)).toBe(true)
  })

  it('split at every byte that the package survives', async () => {
    const boundaries = [0, 8 + HEAD.length + 5 + 5, COMPLETE.length - endRequest().length, COMPLETE.length]
    const insideHeader = (at: number) => boundaries.some((start) => at > start && at < start + 8)
    const splits = Array.from(COMPLETE.keys()).filter((at) => !insideHeader(at) && at <= COMPLETE.length - 8)
    for (const at of splits) {
      const { response } = await exchange(answering(COMPLETE.subarray(0, at), COMPLETE.subarray(at)))
      expect([at, response.status, response.body.toString(), response.stderr]).toEqual([
        at,
        201,
        'hello',
        'warned',
      ])
    }
    expect(splits.length).toBeGreaterThan(50)
  })

  it('in records of one byte', async () => {
    const { response } = await exchange(
      answering(Buffer.concat([streamOf(TYPE.stdout, Buffer.from(`${HEAD}hello`), 1), endRequest()])),
    )
    expect([response.status, response.body.toString()]).toEqual([201, 'hello'])
  })

  it.each([
    ['with an empty body', record(TYPE.stdout, HEAD), 201],
    ['with an empty head', record(TYPE.stdout, '\r\nhello'), 200],
    ['with a status that cannot be read', record(TYPE.stdout, 'Status: abc\r\n\r\n'), Number.NaN],
    [
      'with records of unknown types and foreign requests',
      Buffer.concat([record(11, 'unknown'), record(99), record(TYPE.stdout, HEAD)]),
      201,
    ],
    [
      'with empty records at the end of its streams',
      Buffer.concat([record(TYPE.stdout, HEAD), record(TYPE.stderr), record(TYPE.stdout)]),
      201,
    ],
  ])('%s', async (_, records, status) => {
    const { response } = await exchange(answering(Buffer.concat([records, endRequest()])))
    expect(response.status).toBe(status)
  })

  it('with 200 KB of headers', async () => {
    const head = Array.from({ length: 10_000 }, (_, index) => `X-${index}: ${index}\r\n`).join('')
    const { response } = await exchange(
      answering(Buffer.concat([streamOf(TYPE.stdout, Buffer.from(`${head}\r\nhello`)), endRequest()])),
    )
    expect([response.headers.size, response.body.toString()]).toEqual([10_000, 'hello'])
  })

  it('ignores what appStatus says: php-fpm always says 0', async () => {
    const { response } = await exchange(
      answering(Buffer.concat([record(TYPE.stdout, HEAD), endRequest(0, 3)])),
    )
    expect(response.status).toBe(201)
  })

  it('that comes before the request was read is an answer all the same', async () => {
    const { response } = await exchange(
      (socket) => {
        socket.end(COMPLETE)
        socket.resume()
      },
      { body: Buffer.alloc(4 * 1024 * 1024) },
    )
    expect([response.status, response.body.toString()]).toEqual([201, 'hello'])
  })
})

describe('limits', () => {
  const long = Buffer.concat([Buffer.from(HEAD), Buffer.alloc(2 * 1024 * 1024, 'x')])

  it('of 2 MiB stdout the first MiB is kept, head included, and the rest is read', async () => {
    const { response } = await exchange(answering(Buffer.concat([streamOf(TYPE.stdout, long), endRequest()])))
    expect(response).toMatchObject({ status: 201, bodyTruncated: true })
    expect(response.body.length).toBe(1024 * 1024 - HEAD.length)
  })

  it('an answer of exactly the limit is whole', async () => {
    const limits = { maxResponse: HEAD.length + 5, maxStderr: 6 }
    const { response } = await exchange(answering(COMPLETE), {}, limits)
    expect(response).toMatchObject({
      body: Buffer.from('hello'),
      bodyTruncated: false,
      stderrTruncated: false,
    })
  })

  it('stderr is cut at its own limit', async () => {
    const records = [
      record(TYPE.stdout, HEAD),
      streamOf(TYPE.stderr, Buffer.alloc(100_000, 'e')),
      endRequest(),
    ]
    const { response } = await exchange(answering(Buffer.concat(records)))
    expect(response.stderr).toBe('e'.repeat(1024))
    expect(response.stderrTruncated).toBe(true)
  })

  it('a head longer than the limit is a status that cannot be read: it ran', async () => {
    const records = [streamOf(TYPE.stdout, Buffer.from(`A: ${'x'.repeat(5_000)}\r\n\r\n`)), endRequest()]
    const error = await exchange(
      answering(Buffer.concat(records)),
      {},
      { maxResponse: 1_000, maxStderr: 10 },
    ).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'MALFORMED_ANSWER', phase: 'receive' })
  })
})
