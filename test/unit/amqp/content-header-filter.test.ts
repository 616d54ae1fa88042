import { Readable } from 'node:stream'
import type { ChannelModel } from 'amqplib'
import { describe, expect, it } from 'vitest'
import { ContentHeaderFilter, keepHeaderTables, tableOf } from '../../../src/amqp/content-header-filter.ts'
import {
  contentHeader,
  FLAG,
  frame,
  long,
  method,
  nestedFields,
  shortString,
} from '../../support/amqp-frames.ts'

const DEEP = nestedFields(600, 'A')
const ALL = FLAG.contentType | FLAG.contentEncoding | FLAG.headers | FLAG.deliveryMode | FLAG.messageId

/** A content header with the properties around the table that a table can have neighbours in. */
const header = (fields: Buffer) =>
  contentHeader(
    1,
    2,
    ALL,
    shortString('text/plain'),
    shortString('gzip'),
    Buffer.concat([long(fields.length), fields]),
    Buffer.from([2]),
    shortString('M-1'),
  )

const deliver = method(1, [60, 60], Buffer.from('arguments'))
const body = frame(3, 1, Buffer.from('{}'))
const heartbeat = frame(8, 0, Buffer.alloc(0))
/** A message whose table is longer than amqplib decodes. */
const deep = Buffer.concat([deliver, header(DEEP), body])
/** One without a table. */
const plain = Buffer.concat([
  deliver,
  contentHeader(1, 2, FLAG.deliveryMode, Buffer.from([2])),
  body,
  heartbeat,
])

function filtered(...chunks: Buffer[]): Buffer {
  const filter = new ContentHeaderFilter()
  return Buffer.concat(chunks.map((chunk) => filter.push(Buffer.from(chunk))))
}

describe('the filter of content headers', () => {
  it('hands on what has no table, without a copy', () => {
    const chunk = Buffer.concat([plain, plain])
    const handedOn = new ContentHeaderFilter().push(chunk)
    expect(handedOn).toEqual(chunk)
    expect(handedOn.buffer).toBe(chunk.buffer)
  })

  it('hands on an empty table as it is, without a copy', () => {
    const chunk = Buffer.concat([plain, deliver, header(Buffer.alloc(0)), body])
    const handedOn = new ContentHeaderFilter().push(chunk)
    expect(handedOn).toEqual(Buffer.concat([plain, deliver, header(Buffer.alloc(0)), body]))
    expect(handedOn.buffer).toBe(chunk.buffer)
  })

  it.each([
    ['600 levels', DEEP],
    ['fields that nobody knows', Buffer.from('\x01aZ\x01')],
  ])('makes a table with %s the one field of another, and changes nothing else', (_, fields) => {
    const handedOn = filtered(Buffer.concat([plain, deliver, header(fields), body, plain]))
    const start = plain.length + deliver.length
    expect(handedOn.subarray(0, start)).toEqual(Buffer.concat([plain, deliver]))
    const size = handedOn.readUInt32BE(start + 3)
    const replaced = handedOn.subarray(start, start + 8 + size)
    const outer = replaced.subarray(7 + 14 + 11 + 5)
    const field = outer.subarray(4, 4 + outer.readUInt32BE(0))
    expect(replaced).toEqual(header(field))
    const name = field.toString('latin1', 1, 1 + field.readUInt8())
    expect(name).toMatch(/^x-fpm-bridge-table-[\w-]{36}$/)
    expect(tableOf({ [name]: field.subarray(1 + name.length + 5) })).toEqual(fields)
    expect(handedOn.subarray(start + replaced.length)).toEqual(Buffer.concat([body, plain]))
  })

  it('does the same at every split point', () => {
    const stream = Buffer.concat([plain, deep, plain])
    const whole = filtered(stream)
    for (let split = 0; split <= stream.length; split += 1) {
      const inTwo = filtered(stream.subarray(0, split), stream.subarray(split))
      if (!inTwo.equals(whole)) expect(split).toBe('a split that makes no difference')
    }
    expect(filtered(...Array.from(stream, (byte) => Buffer.from([byte])))).toEqual(whole)
  })

  it('keeps no other frame until it is complete', () => {
    const large = frame(3, 1, Buffer.alloc(100_000))
    const filter = new ContentHeaderFilter()
    expect(filter.push(large.subarray(0, 50_000))).toHaveLength(50_000)
    expect(filter.push(large.subarray(50_000))).toHaveLength(large.length - 50_000)
  })

  it('does not take the bytes of a body for a frame', () => {
    const stream = Buffer.concat([frame(3, 1, deep), plain])
    expect(filtered(stream)).toEqual(stream)
  })

  it('has nothing against a message without properties', () => {
    const stream = Buffer.concat([deliver, contentHeader(1, 0, 0), plain])
    expect(filtered(stream)).toEqual(stream)
  })

  it('takes in no frame that is announced to be endless, be it a header or not', () => {
    for (const type of [2, 3]) {
      const announced = frame(type, 1, Buffer.alloc(100))
      announced.writeUInt32BE(2 ** 31, 3)
      expect(() => filtered(announced)).toThrow('announces a frame of 2147483656 bytes')
    }
  })

  it('collects a large content header without a copy for each piece', () => {
    const large = Buffer.concat([deliver, header(nestedFields(3_000_000)), body])
    const filter = new ContentHeaderFilter()
    let handedOn = 0
    // With a copy of it all for each piece that would be 100 GB of copying.
    for (let at = 0; at < large.length; at += 1_000)
      handedOn += filter.push(large.subarray(at, at + 1_000)).length
    expect(handedOn).toBeGreaterThan(large.length)
  })

  it('refuses a table that is larger than its frame', () => {
    const broken = contentHeader(1, 0, FLAG.headers, long(500), Buffer.alloc(20))
    expect(() => filtered(broken)).toThrow('larger than its frame')
  })
})

describe("amqplib's stream, with the filter before it", () => {
  function filteredStream(): Readable {
    const stream = new Readable({ read() {} })
    keepHeaderTables({ connection: { stream } } as unknown as ChannelModel)
    return stream
  }

  it('loses nothing when Node.js itself reads no bytes of it', () => {
    const stream = filteredStream()
    stream.push(plain)
    expect(stream.read(0)).toBeNull()
    expect(stream.read()).toEqual(plain)
    expect(stream.read()).toBeNull()
  })

  it('gives out a content header once it is complete', () => {
    const stream = filteredStream()
    stream.push(deep.subarray(0, 500))
    expect(stream.read()).toEqual(deliver)
    stream.push(deep.subarray(500, 600))
    expect(stream.read()).toHaveLength(0)
    stream.push(deep.subarray(600))
    expect(stream.read()).toHaveLength(filtered(deep).length - deliver.length)
  })
})
