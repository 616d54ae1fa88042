import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import type { FastCgiRequest } from '../../src/fastcgi/types.ts'

/** A pool as production should have it, one as it comes without a php.ini, and one that cuts scripts off. */
export const POOLS = {
  sound: { children: 2, ini: { log_errors: 'on' } },
  careless: { children: 1, ini: { display_errors: 'on' } },
  strict: { children: 1, settings: { request_terminate_timeout: '1s' } },
}

export interface Capability {
  readonly can: string
  readonly pool?: keyof typeof POOLS
  readonly script?: string
  readonly action?: string
  readonly value?: string | number
  readonly request?: Partial<FastCgiRequest>
  /** Of what came of it: see outcomeOf. */
  readonly expected: Readonly<Record<string, unknown>>
  /** What the library makes of it instead; or why it is not even asked. */
  readonly library?: Readonly<Record<string, unknown>> | string
}

const MEBIBYTE = 1024 * 1024
const ENDS_THE_PROCESS =
  'an answer of several reads may split a record header, which throws out of its data handler'

const lost = { code: 'CONNECTION_LOST', phase: 'receive' }
const body = (length: number) => Buffer.alloc(length, 'abcdefg')
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const form = (length: number): Partial<FastCgiRequest> => ({
  params: { CONTENT_TYPE: 'application/x-www-form-urlencoded' },
  body: Buffer.from(`a=${'x'.repeat(length - 2)}`),
})
const raw = (length: number): Partial<FastCgiRequest> => ({
  params: { CONTENT_TYPE: 'application/octet-stream' },
  body: body(length),
})
const large = (count: number, length: number): Partial<FastCgiRequest> => ({
  params: Object.fromEntries(Array.from({ length: count }, (_, n) => [`LARGE_${n}`, 'x'.repeat(length)])),
})

/** Milliseconds that a script goes on after its answer: longer than any machine takes to pass that on. */
export const GOES_ON = 5_000

export const CAPABILITIES: readonly Capability[] = [
  ...[200, 201, 404, 409, 500, 503].map((status) => ({
    can: `read the status ${status}`,
    action: 'status',
    value: status,
    expected: { status, body: 'the body', stderr: '' },
  })),
  { can: 'do without a Status line', action: 'pid', expected: { status: 200, statusLine: undefined } },
  { can: 'keep several values of a header', action: 'headers', expected: { values: ['one', 'two'] } },
  {
    can: 'read stderr',
    action: 'stderr',
    value: 'ouch',
    expected: { status: 200, stderr: 'PHP message: ouch' },
  },
  {
    can: 'read 4 KiB of stderr and drop the rest',
    action: 'stderr',
    value: 'x'.repeat(10_000),
    expected: { stderrLength: 4_096, stderrTruncated: true },
  },
  {
    can: 'tell a script that is not there',
    script: '/nowhere/worker.php',
    expected: { status: 404, body: 'File not found.\n', stderr: 'Primary script unknown' },
  },
  {
    can: 'tell a script that php-fpm may not run',
    script: fileURLToPath(import.meta.url),
    expected: {
      status: 403,
      body: 'Access denied.\n',
      stderr: expect.stringMatching(/^Access to the script '.*\.ts' has been denied/),
    },
  },
  ...[0, 65_535, 65_536, MEBIBYTE, 9 * MEBIBYTE].map((length) => ({
    can: `send ${length} bytes as they are`,
    action: 'tell',
    request: raw(length),
    expected: { json: { length, sha256: sha256(body(length)), fields: 0 } },
  })),
  ...[2, 65_535, 65_536, MEBIBYTE].map((length) => ({
    can: `send a form of ${length} bytes`,
    action: 'tell',
    request: form(length),
    expected: { json: { length, fields: 1, a: length - 2 } },
  })),
  {
    can: 'send a form beyond post_max_size, of which PHP keeps the bytes alone',
    action: 'tell',
    request: form(9 * MEBIBYTE),
    expected: {
      json: { length: 9 * MEBIBYTE, fields: 0 },
      stderr: expect.stringContaining('exceeds the limit'),
    },
  },
  {
    can: 'send a param of 65,000 bytes',
    action: 'tell',
    request: large(1, 65_000),
    expected: { json: { large: 65_000 } },
  },
  {
    can: 'send 170 KB of params, in several records',
    action: 'tell',
    request: large(10, 17_000),
    expected: { json: { large: 170_000 } },
    library: 'it writes all params as one record, and fails on its length outside of any promise',
  },
  {
    can: 'refuse a param that fits into no record, before anything is sent',
    action: 'tell',
    request: large(1, 65_535),
    expected: { code: 'INVALID_REQUEST', phase: 'connect' },
    library: 'it writes all params as one record, and fails on its length outside of any promise',
  },
  {
    can: 'read an answer of exactly the limit',
    action: 'write',
    value:
      MEBIBYTE -
      'Content-type: text/html; charset=UTF-8\r\n\r\n'.length -
      'X-Powered-By: PHP/8.2.36\r\n'.length,
    expected: { status: 200, bodyTruncated: false },
    library: ENDS_THE_PROCESS,
  },
  {
    can: 'read 20 MiB of an answer to their end, and keep one',
    action: 'write',
    value: 20 * MEBIBYTE,
    expected: { status: 200, bodyTruncated: true, bodyLength: expect.closeTo(MEBIBYTE, -3) },
    library: ENDS_THE_PROCESS,
  },
  {
    can: 'tell a fatal error',
    action: 'fatal',
    expected: { status: 500, body: '', stderr: expect.stringContaining('PHP Fatal error:  Uncaught Error') },
  },
  {
    can: 'tell a fatal error after output by its stderr alone',
    action: 'fatal after output',
    expected: {
      status: 200,
      body: 'begun',
      stderr: expect.stringContaining('PHP Fatal error:  Uncaught Error'),
    },
  },
  {
    can: 'not tell a fatal error from success where display_errors is on',
    pool: 'careless',
    action: 'fatal',
    expected: { status: 200, body: expect.stringContaining('Fatal error') },
  },
  {
    can: 'not tell exit(3) from success',
    action: 'exit',
    value: 3,
    expected: { status: 200, body: 'done', appStatus: 0 },
  },
  { can: 'tell a child that was killed before its answer', action: 'die', expected: { ...lost, sent: 1 } },
  {
    can: 'tell a child that was killed in its answer',
    action: 'die',
    value: 'partial',
    expected: { ...lost, sent: 1 },
  },
  { can: 'tell a script that was cut off', pool: 'strict', action: 'sleep', value: 8_000, expected: lost },
  {
    can: 'end with the answer of a worker that goes on after it',
    action: 'finish early',
    value: GOES_ON,
    expected: { status: 200, body: 'finished', quick: true },
    library: { status: 200, body: 'finished' },
  },
  {
    can: 'say that a request was sent before it is answered',
    action: 'sleep',
    value: 50,
    expected: { sent: 1, events: ['sent', 'answered'] },
  },
]
