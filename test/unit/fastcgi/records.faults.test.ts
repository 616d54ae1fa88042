import { describe, expect, it } from 'vitest'
import { RECORDED, RECORDED_END } from '../../support/recorded-answer.ts'
import { decode, END, raw, STDOUT } from './decoded.ts'

/* What is no answer of the request that was sent. */

describe('what is no answer', () => {
  it.each<[string, Buffer, string]>([
    ['version 0', raw([0, 6, 0, 1, 0, 0, 0, 0]), 'version 0 where there should be 1'],
    ['version 2', raw([2, 6, 0, 1, 0, 0, 0, 0]), 'version 2 where there should be 1'],
    ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n'), 'version 72 where there should be 1'],
    ['TLS', Buffer.from([21, 3, 1, 0, 2, 2, 70, 0]), 'version 21 where there should be 1'],
    ['request 0', raw([1, 6, 0, 0, 0, 0, 0, 0]), 'a record of request 0'],
    ['request 2', raw([1, 6, 0, 2, 0, 0, 0, 0]), 'a record of request 2'],
    ['request 256', raw([1, 6, 1, 0, 0, 0, 0, 0]), 'a record of request 256'],
    ['our own beginRequest', raw([1, 1, 0, 1, 0, 8, 0, 0]), 'a record of type 1'],
    ['our own params', raw([1, 4, 0, 1, 0, 0, 0, 0]), 'a record of type 4'],
    ['FCGI_DATA', raw([1, 8, 0, 1, 0, 0, 0, 0]), 'a record of type 8'],
    ['FCGI_UNKNOWN_TYPE', raw([1, 11, 0, 1, 0, 8, 0, 0]), 'a record of type 11'],
    ['type 0', raw([1, 0, 0, 1, 0, 0, 0, 0]), 'a record of type 0'],
    ['type 255', raw([1, 255, 0, 1, 0, 0, 0, 0]), 'a record of type 255'],
    ['an empty endRequest', raw([1, 3, 0, 1, 0, 0, 0, 0]), 'endRequest of 0 bytes'],
    ['an endRequest of 7 bytes', raw([1, 3, 0, 1, 0, 7, 0, 0]), 'endRequest of 7 bytes'],
    ['an endRequest of 65,535 bytes', raw([1, 3, 0, 1, 255, 255, 0, 0]), 'endRequest of 65535 bytes'],
  ])('%s', (_, bytes, fault) => {
    expect(decode(bytes)).toMatchObject({ ends: [], fault })
    expect(decode(STDOUT, bytes, END)).toEqual({ stdout: 'hello', stderr: '', ends: [], fault })
  })

  it.each([
    ['in the same chunk', (rest: Buffer) => [Buffer.concat([STDOUT, END, rest])]],
    ['in the next', (rest: Buffer) => [Buffer.concat([STDOUT, END]), rest]],
  ])('bytes after endRequest, %s: the end counts, and the fault is told', (_, chunks) => {
    for (const rest of [Buffer.from([0]), END, STDOUT, RECORDED]) {
      expect(decode(...chunks(rest))).toEqual({
        stdout: 'hello',
        stderr: '',
        ends: [[0, 0]],
        fault: 'bytes after endRequest',
      })
    }
  })

  it('says so again for all that follows, and calls nobody any more', () => {
    expect(decode(Buffer.alloc(8), RECORDED, Buffer.alloc(0))).toEqual({
      stdout: '',
      stderr: '',
      ends: [],
      fault: 'version 0 where there should be 1',
    })
  })

  it('a header alone is enough to tell: nothing is waited for', () => {
    expect(RECORDED.subarray(RECORDED_END, RECORDED_END + 2)).toEqual(Buffer.from([1, 3]))
    expect(decode(Buffer.from('HTTP/1.')).fault).toBeUndefined()
    expect(decode(Buffer.from('HTTP/1.1')).fault).toBeDefined()
  })
})
