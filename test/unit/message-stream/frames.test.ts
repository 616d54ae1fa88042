import { describe, expect, it } from 'vitest'
import { messageFrame, resumeFrame } from '../../../src/message-stream/frames.ts'

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
    const content = stdin(messageFrame(7, { AMQP_TYPE: 'invoice.créée' }, Buffer.from('body')))
    const head = Buffer.from('{"AMQP_TYPE":"invoice.créée"}')
    expect(content.toString('latin1', 0, 4)).toBe('M\0\0\0')
    expect([4, 8, 12].map((at) => content.readUInt32BE(at))).toEqual([7, head.length, 4])
    expect(content.subarray(16)).toEqual(Buffer.concat([head, Buffer.from('body')]))
  })

  it('runs over many records where one does not hold it', () => {
    for (const length of [65_500, 65_535, 65_536, 300_000]) {
      const body = Buffer.alloc(length, 'abc')
      const content = stdin(messageFrame(4_000_000_000, { N: '1' }, body))
      expect([4, 8, 12].map((at) => content.readUInt32BE(at))).toEqual([4_000_000_000, 9, length])
      expect(content.subarray(25).equals(body)).toBe(true)
    }
  })

  it('tells it to go on', () => {
    const content = stdin([resumeFrame(3)])
    expect(content.toString('latin1', 0, 4)).toBe('R\0\0\0')
    expect([4, 8, 12].map((at) => content.readUInt32BE(at))).toEqual([3, 0, 0])
  })
})
