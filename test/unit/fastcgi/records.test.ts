import { describe, expect, it } from 'vitest'
import { RecordType } from '../../../src/fastcgi/protocol.ts'
import { beginRequestBody, encodeHeader, RecordDecoder, writeRecord } from '../../../src/fastcgi/records.ts'
import { RECORDED } from '../../support/recorded-answer.ts'
import { decode, decodeAs, END, raw, STDOUT } from './decoded.ts'

describe('a record that we send (FastCGI 1.0, section 3.3)', () => {
  it.each<[number, number[]]>([
    [0, [1, 5, 1, 2, 0, 0, 0, 0]],
    [127, [1, 5, 1, 2, 0, 127, 0, 0]],
    [128, [1, 5, 1, 2, 0, 128, 0, 0]],
    [255, [1, 5, 1, 2, 0, 255, 0, 0]],
    [256, [1, 5, 1, 2, 1, 0, 0, 0]],
    [65_535, [1, 5, 1, 2, 255, 255, 0, 0]],
  ])('of %d bytes has the header %j, without padding', (length, header) => {
    const content = Buffer.alloc(length, 'x')
    expect([...encodeHeader(RecordType.stdin, 0x0102, length)]).toEqual(header)
    const target = Buffer.alloc(3 + 8 + length + 1, '-')
    expect(writeRecord(target, 3, RecordType.stdin, 0x0102, content)).toBe(3 + 8 + length)
    const expected = Buffer.concat([Buffer.from('---'), Buffer.from(header), content, Buffer.from('-')])
    expect(target.equals(expected)).toBe(true)
  })

  it('cannot be larger', () => {
    expect(() => writeRecord(Buffer.alloc(70_000), 0, RecordType.stdin, 1, Buffer.alloc(65_536))).toThrow(
      RangeError,
    )
    expect(() => encodeHeader(RecordType.stdin, 1, 65_536)).toThrow(RangeError)
    expect(() => encodeHeader(RecordType.stdin, 65_536, 1)).toThrow(RangeError)
  })

  it('beginRequest', () => {
    expect([...beginRequestBody(false)]).toEqual([0, 1, 0, 0, 0, 0, 0, 0])
    expect([...beginRequestBody(true)]).toEqual([0, 1, 1, 0, 0, 0, 0, 0])
  })
})

describe('an answer', () => {
  const whole = {
    stdout: expect.stringMatching(/^Status: 503 [\s\S]+hello world\n$/),
    stderr: 'PHP message: first; PHP message: second',
    ends: [[0, 0]],
    fault: undefined,
  }

  it('as php-fpm sends it', () => {
    expect(decode(RECORDED)).toEqual(whole)
  })

  it('says the same, wherever it is cut in two', () => {
    for (let at = 0; at <= RECORDED.length; at += 1) {
      expect(decode(RECORDED.subarray(0, at), RECORDED.subarray(at)), `cut at ${at}`).toEqual(whole)
    }
  })

  it('says the same, wherever it is cut in three', () => {
    const { stdout } = decode(RECORDED)
    for (let first = 0; first <= RECORDED.length; first += 1) {
      for (let second = first; second <= RECORDED.length; second += 3) {
        const seen = decode(
          RECORDED.subarray(0, first),
          RECORDED.subarray(first, second),
          RECORDED.subarray(second),
        )
        if (seen.stdout !== stdout || seen.ends.length !== 1 || seen.fault !== undefined) {
          expect.fail(`cut at ${first} and ${second}: ${JSON.stringify(seen)}`)
        }
      }
    }
  })

  it.each([1, 2, 3, 5, 7, 8, 9, 15, 16, 17])('says the same in pieces of %d bytes', (size) => {
    const pieces = Array.from({ length: Math.ceil(RECORDED.length / size) }, (_, index) =>
      RECORDED.subarray(index * size, (index + 1) * size),
    )
    expect(decode(...pieces)).toEqual(whole)
  })

  it('that stops early has no end, and is not wrong for that', () => {
    for (let at = 0; at < RECORDED.length; at += 1) {
      const { ends, fault } = decode(RECORDED.subarray(0, at))
      expect([ends, fault], `cut at ${at}`).toEqual([[], undefined])
    }
  })

  it('ends only after the padding of its last record', () => {
    const end = raw([1, 3, 0, 1, 0, 8, 3, 0], [0, 0, 0, 0, 0, 0, 0, 0])
    const padding = Buffer.from([0xaa, 0xaa, 0xaa])
    expect(decode(end, padding.subarray(1))).toMatchObject({ ends: [], fault: undefined })
    expect(decode(end, padding)).toMatchObject({ ends: [[0, 0]], fault: undefined })
  })

  it.each([
    ['content of 65,535 bytes', raw([1, 6, 0, 1, 255, 255, 0, 0], 'x'.repeat(65_535))],
    ['padding of 255', raw([1, 6, 0, 1, 255, 0, 255, 0], 'x'.repeat(65_280) + '\0'.repeat(255))],
    ['a reserved byte that is not 0', raw([1, 6, 0, 1, 0, 1, 0, 7], 'x')],
    ['an empty record, which ends a stream', raw([1, 6, 0, 1, 0, 0, 0, 0])],
    ['an empty record with padding', raw([1, 7, 0, 1, 0, 0, 2, 0], [1, 2])],
  ])('may have %s', (_, record) => {
    expect(decode(record, END)).toMatchObject({ ends: [[0, 0]], fault: undefined })
  })

  it.each([
    [0, 0],
    [0xff_ff_ff_ff, 0],
    [3, 0],
    [0, 1],
    [0, 2],
    [0, 3],
    [0, 255],
  ])('tells appStatus %d and protocolStatus %d', (appStatus, protocolStatus) => {
    const body = Buffer.alloc(8)
    body.writeUInt32BE(appStatus)
    body[4] = protocolStatus
    expect(decode(Buffer.concat([END.subarray(0, 8), body])).ends).toEqual([[appStatus, protocolStatus]])
  })
})

describe('an endRequest that is cut', () => {
  const bytes = raw([1, 3, 0, 1, 0, 8, 2, 9], [0xfe, 0xdc, 0xba, 0x98, 0xf1, 0xe2, 0xd3, 0xc4, 0xaa, 0xaa])

  it('tells the same, wherever that is', () => {
    for (let at = 0; at <= bytes.length; at += 1) {
      const { ends } = decode(STDOUT, bytes.subarray(0, at), bytes.subarray(at))
      expect(ends, `cut at ${at}`).toEqual([[0xfe_dc_ba_98, 0xf1]])
    }
  })
})

describe('records of an earlier request on the connection', () => {
  const late = Buffer.concat([
    raw([1, 6, 0, 2, 0, 4, 1, 0], 'late-'),
    raw([1, 7, 0, 1, 0, 3, 0, 0], 'bad'),
    raw([1, 3, 0, 2, 0, 8, 0, 0], [9, 9, 9, 9, 9, 9, 9, 9]),
    raw([1, 99, 0, 2, 0, 0, 0, 0]),
  ])
  const own = Buffer.concat([
    raw([1, 6, 0, 3, 0, 5, 0, 0], 'hello'),
    raw([1, 3, 0, 3, 0, 8, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0]),
  ])
  const answer = { stdout: 'hello', stderr: '', ends: [[0, 0]], fault: undefined }

  it('are dropped, wherever they are cut', () => {
    const bytes = Buffer.concat([late, own])
    for (let at = 0; at <= bytes.length; at += 1) {
      expect(decodeAs(3, bytes.subarray(0, at), bytes.subarray(at)), `cut at ${at}`).toEqual(answer)
    }
  })

  it('are dropped between those of the answer, too', () => {
    const bytes = [own.subarray(0, 13), late, own.subarray(13)]
    expect(decodeAs(3, ...bytes)).toEqual(answer)
  })

  it('are told, and are no beginning of the answer', () => {
    const decoder = new RecordDecoder({ stdout() {}, stderr() {}, endRequest() {} }, 3)
    expect([decoder.begun, decoder.lateRecords]).toEqual([false, false])
    decoder.write(late.subarray(0, 5))
    // Nobody knows yet whose header that is.
    expect([decoder.begun, decoder.lateRecords]).toEqual([true, false])
    decoder.write(late.subarray(5))
    expect([decoder.begun, decoder.lateRecords]).toEqual([false, true])
    decoder.write(own.subarray(0, 8))
    expect([decoder.begun, decoder.lateRecords]).toEqual([true, true])
  })

  it('there are none of a later one, nor of request 0', () => {
    expect(decodeAs(3, raw([1, 6, 0, 4, 0, 0, 0, 0])).fault).toBe('a record of request 4')
    expect(decodeAs(3, raw([1, 6, 0, 0, 0, 0, 0, 0])).fault).toBe('a record of request 0')
  })
})
