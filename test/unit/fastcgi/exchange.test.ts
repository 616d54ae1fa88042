import { describe, expect, it } from 'vitest'
import { Exchange, type ExchangeLimits } from '../../../src/fastcgi/exchange.ts'
import { FastCgiError, type FastCgiResponse } from '../../../src/fastcgi/types.ts'
import { liveBytes } from '../../support/heap.ts'
import { RECORDED, RECORDED_END, RECORDED_RESPONSE } from '../../support/recorded-answer.ts'

const LIMITS: ExchangeLimits = { maxResponse: 1024 * 1024, maxStderr: 1024 }
const TIMINGS = { connect: 5, firstByte: expect.any(Number), total: expect.any(Number) }

function record(type: number, content: string | Buffer): Buffer {
  const bytes = Buffer.from(content)
  const header = Buffer.from([1, type, 0, 1, 0, 0, 0, 0])
  header.writeUInt16BE(bytes.length, 4)
  return Buffer.concat([header, bytes])
}
const stdout = (content: string | Buffer) => record(6, content)
const stderr = (content: string) => record(7, content)
const end = (protocolStatus = 0, appStatus = 0) =>
  record(3, Buffer.from([0, 0, 0, appStatus, protocolStatus, 0, 0, 0]))

/** A request that has been sent, and what it says to these chunks. */
function exchange(chunks: readonly Buffer[], limits: Partial<ExchangeLimits> = {}) {
  const started = new Exchange({ ...LIMITS, ...limits }, 1, performance.now(), 5)
  started.markSent()
  const sensible = chunks.map((chunk) => started.receive(chunk)).at(-1)
  return { response: started.response, sensible, ended: started.ended }
}

function answer(chunks: readonly Buffer[], limits?: Partial<ExchangeLimits>): Promise<FastCgiResponse> {
  return exchange(chunks, limits).response
}

async function failureOf(pending: Promise<unknown>): Promise<FastCgiError> {
  const error: unknown = await pending.catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(FastCgiError)
  return error as FastCgiError
}

describe('an answer', () => {
  it('as php-fpm sends it', async () => {
    expect(await answer([RECORDED])).toEqual({ ...RECORDED_RESPONSE, timings: TIMINGS })
  })

  it('is the same, wherever it is cut', async () => {
    for (let at = 1; at < RECORDED.length; at += 1) {
      const response = await answer([RECORDED.subarray(0, at), RECORDED.subarray(at)])
      expect(response, `cut at ${at}`).toEqual({ ...RECORDED_RESPONSE, timings: TIMINGS })
    }
  })

  it('keeps nothing of the chunks it came in', async () => {
    const chunk = Buffer.from(RECORDED)
    const pending = answer([chunk])
    chunk.fill(0)
    expect(await pending).toEqual({ ...RECORDED_RESPONSE, timings: TIMINGS })
  })

  it('keeps nothing of a chunk with one record of each stream', async () => {
    const chunk = Buffer.concat([stderr('oops'), stdout('A: 1\n\nhello'), end()])
    const pending = answer([chunk])
    chunk.fill(0)
    const { headers, body, stderr: said } = await pending
    expect([headers.get('a'), body.toString(), said]).toEqual([['1'], 'hello', 'oops'])
  })

  it('has ended with its end, and not before', () => {
    expect(exchange([RECORDED.subarray(0, RECORDED_END)]).ended).toBe(false)
    expect(exchange([RECORDED]).ended).toBe(true)
  })

  it('keeps the characters of stderr that two records share', async () => {
    const euro = Buffer.from('€')
    const records = [stdout('\n'), record(7, euro.subarray(0, 1)), record(7, euro.subarray(1)), end()]
    expect((await answer(records)).stderr).toBe('€')
  })

  it.each([
    ['an empty head', '\r\nbody', 200, 'body'],
    ['no Status line', 'X: 1\r\n\r\nbody', 200, 'body'],
    ['a head alone', 'Status: 204 No Content\r\n\r\n', 204, ''],
    ['a status that is no number', 'Status: abc\r\n\r\n', Number.NaN, ''],
  ])('may have %s', async (_, text, status, body) => {
    const response = await answer([stdout(text), end()])
    expect([response.status, response.body.toString()]).toEqual([status, body])
  })
})

describe('limits', () => {
  const HEAD = 'A: b\r\n\r\n'
  const body = 'x'.repeat(1_000)

  it.each([
    [HEAD.length + 1_000, 1_000, false],
    [HEAD.length + 999, 999, true],
    [HEAD.length + 1, 1, true],
    [HEAD.length, 0, true],
  ])('of %d bytes leave %d of a body of 1,000', async (maxResponse, kept, truncated) => {
    const chunks = [stdout(HEAD), stdout(body.slice(0, 600)), stdout(body.slice(600)), end()]
    for (const each of [chunks, [Buffer.concat(chunks)]]) {
      const response = await answer(each, { maxResponse })
      expect([response.body.length, response.bodyTruncated]).toEqual([kept, truncated])
    }
  })

  it.each([
    [0, '', true],
    [3, 'abc', true],
    [6, 'abcdef', false],
    [7, 'abcdef', false],
  ])('of %d bytes leave %j of stderr', async (maxStderr, kept, truncated) => {
    const response = await answer([stderr('abc'), stdout('\n'), stderr('def'), end()], { maxStderr })
    expect([response.stderr, response.stderrTruncated]).toEqual([kept, truncated])
  })

  it('that cut the head off leave nothing that could be read: it ran, and its answer is malformed', async () => {
    const error = await failureOf(answer([stdout(HEAD), end()], { maxResponse: 3 }))
    expect([error.code, error.phase]).toEqual(['MALFORMED_ANSWER', 'receive'])
  })

  it('bound what an answer of single bytes takes', async () => {
    const mebibyte = 1024 * 1024
    const chunk = Buffer.concat(Array<Buffer>(1_024).fill(stdout('\n')))
    const before = liveBytes()
    const received = new Exchange({ ...LIMITS, maxResponse: mebibyte }, 1, 0, 0)
    for (let kept = 0; kept < 2 * mebibyte; kept += 1_024) received.receive(chunk)
    const grown = liveBytes() - before
    received.receive(end())
    expect((await received.response).body.length).toBe(mebibyte - 1)
    // In a small buffer each they took 130 MiB.
    expect(grown).toBeLessThan(4 * mebibyte)
  })
})

describe('what is no answer', () => {
  it.each<[string, Buffer[], string]>([
    ['an end alone: not run', [end()], 'EMPTY_ANSWER'],
    ['stderr alone: not run', [stderr('oops'), end()], 'EMPTY_ANSWER'],
    ['a refusal: no more connections', [end(1)], 'REQUEST_REFUSED'],
    ['a refusal: overloaded', [end(2)], 'REQUEST_REFUSED'],
    ['a refusal: unknown role', [end(3)], 'REQUEST_REFUSED'],
    ['a refusal with output', [stdout('A: 1\n\nhello'), end(2)], 'REQUEST_REFUSED'],
    ['no header block', [stdout('hello'), end()], 'MALFORMED_ANSWER'],
    ['HTML where the head should be', [stdout('<b>Fatal error</b>\n\n'), end()], 'MALFORMED_ANSWER'],
    ['another protocol', [Buffer.from('HTTP/1.1 200 OK\r\n\r\n')], 'MALFORMED_ANSWER'],
    ['an answer that goes wrong', [stdout('A: 1\n\n'), Buffer.alloc(8)], 'MALFORMED_ANSWER'],
  ])('%s', async (_, chunks, code) => {
    const error = await failureOf(answer(chunks))
    expect([error.code, error.phase]).toEqual([code, 'receive'])
  })

  it('that comes before the whole request was sent still means that somebody read it', async () => {
    const received = new Exchange(LIMITS, 1, 0, 0)
    received.receive(Buffer.alloc(8))
    expect((await failureOf(received.response)).phase).toBe('receive')
  })

  it.each<[string, boolean, Buffer[]]>([
    ['an answer', true, [RECORDED]],
    ['a part of one', true, [RECORDED.subarray(0, 100)]],
    ['more than one', false, [Buffer.concat([RECORDED, RECORDED])]],
    ['a byte too many', false, [Buffer.concat([RECORDED, Buffer.alloc(1)])]],
    ['another protocol', false, [Buffer.from('HTTP/1.1')]],
  ])('says whether the connection still makes sense after %s: %s', (_, sensible, chunks) => {
    const received = exchange(chunks)
    received.response.catch(() => {})
    expect(received.sensible).toBe(sensible)
  })
})

describe('a failure', () => {
  it.each([
    [false, false, 'send'],
    [true, false, 'receive'],
    [false, true, 'receive'],
    [true, true, 'receive'],
  ])('when sent %s and answering %s is in the phase %s', async (sent, answering, phase) => {
    const failing = new Exchange(LIMITS, 1, 0, 0)
    if (sent) failing.markSent()
    if (answering) failing.receive(RECORDED.subarray(0, 1))
    const cause = new Error('why')
    failing.fail('CONNECTION_LOST', 'lost', cause)
    failing.fail('TIMEOUT', 'too late')
    expect(await failureOf(failing.response)).toMatchObject({ code: 'CONNECTION_LOST', phase, cause })
  })
})
