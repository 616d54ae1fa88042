import { describe, expect, it } from 'vitest'
import {
  flushFrame,
  MAX_BUNDLE_BYTES,
  messageFrame,
  recordOf,
  resumeFrame,
} from '../../../src/message-stream/frames.ts'

/** What a worker reads of records: their contents. */
function stdin(buffers: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(buffers)
  const contents: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt16BE(at + 4)
    expect([...bytes.subarray(at, at + 4)]).toEqual([1, 5, 0, 1])
    contents.push(bytes.subarray(at + 8, at + 8 + length))
    at += 8 + length
  }
  return Buffer.concat(contents)
}

describe('a frame to the worker', () => {
  it('has type, number, lengths, the head as JSON, and the body', () => {
    const [content, rest] = messageFrame(
      7,
      { QUERY_STRING: 'a', REQUEST_URI: 'b', AMQP_TYPE: 'invoice.créée' },
      Buffer.from('body'),
    )
    const head = Buffer.from('{"AMQP_TYPE":"invoice.créée"}')
    expect(content.toString('latin1', 0, 4)).toBe('M\0\0\0')
    expect([4, 8, 12].map((at) => content.readUInt32BE(at))).toEqual([7, head.length, 4])
    expect(content.subarray(16)).toEqual(Buffer.concat([head, Buffer.from('body')]))
    expect(rest).toBeUndefined()
  })

  it('is in two pieces where a bundle does not hold it, so that its body is not copied', () => {
    const most = MAX_BUNDLE_BYTES - 25
    for (const length of [most, most + 1, 300_000]) {
      const body = Buffer.alloc(length, 'abc')
      const [content, rest] = messageFrame(4_000_000_000, { N: '1' }, body)
      expect([4, 8, 12].map((at) => content.readUInt32BE(at))).toEqual([4_000_000_000, 9, length])
      expect(length > most ? rest : content.subarray(25)).toEqual(body)
      expect(rest === undefined).toBe(length <= most)
    }
  })

  it.each([
    ['R', 3, resumeFrame(3)],
    ['F', 0, flushFrame()],
  ])('%s has nothing but its number', (type, sequence, frame) => {
    expect(frame.toString('latin1', 0, 4)).toBe(`${type}\0\0\0`)
    expect([4, 8, 12].map((at) => frame.readUInt32BE(at))).toEqual([sequence, 0, 0])
    expect(frame).toHaveLength(16)
  })
})

describe('a record', () => {
  const [first] = messageFrame(1, { N: '1' }, Buffer.from('one'))
  const [second] = messageFrame(2, { N: '2' }, Buffer.from('two'))

  it('of one frame is that frame', () => {
    expect(stdin([recordOf([first])])).toEqual(first)
  })

  it('of several frames is a bundle, with their bytes as its body', () => {
    const content = stdin([recordOf([first, second])])
    expect(content.toString('latin1', 0, 4)).toBe('B\0\0\0')
    expect([4, 8, 12].map((at) => content.readUInt32BE(at))).toEqual([0, 0, first.length + second.length])
    expect(content.subarray(16)).toEqual(Buffer.concat([first, second]))
  })

  it('holds as much as a bundle may have', () => {
    const most = Buffer.alloc(MAX_BUNDLE_BYTES - first.length)
    expect(stdin([recordOf([first, most])])).toHaveLength(65_535)
  })
})
