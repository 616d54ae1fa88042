import { Readable } from 'node:stream'
import type { ChannelModel } from 'amqplib'
import { describe, expect, it } from 'vitest'
import { ContentHeaderFilter, filterContentHeaders } from '../../../src/amqp/content-header-filter.ts'
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
const plain = Buffer.concat([deliver, header(Buffer.from('\x01at\x01')), body, heartbeat])
const poison = Buffer.concat([deliver, header(DEEP), body])

function filtered(...chunks: Buffer[]): Buffer {
  const filter = new ContentHeaderFilter()
  return Buffer.concat(chunks.map((chunk) => filter.push(Buffer.from(chunk))))
}

describe('the filter of content headers', () => {
  it('hands on what it has nothing against, without a copy', () => {
    const chunk = Buffer.concat([plain, plain])
    const handedOn = new ContentHeaderFilter().push(chunk)
    expect(handedOn).toEqual(chunk)
    expect(handedOn.buffer).toBe(chunk.buffer)
  })

  it('replaces the table, and nothing but the table', () => {
    const handedOn = filtered(Buffer.concat([plain, poison, plain]))
    const start = plain.length + deliver.length
    expect(handedOn.subarray(0, start)).toEqual(Buffer.concat([plain, deliver]))
    const size = handedOn.readUInt32BE(start + 3)
    const replaced = handedOn.subarray(start, start + 8 + size)
    const table = replaced.subarray(7 + 14 + 11 + 5)
    const fields = table.subarray(4, 4 + table.readUInt32BE(0))
    expect(fields.toString('latin1')).toMatch(
      /^.x-fpm-bridge-defect-[\w-]{36}S\0\0\0.its header table nests deeper/s,
    )
    expect(replaced).toEqual(header(fields))
    expect(handedOn.subarray(start + replaced.length)).toEqual(Buffer.concat([body, plain]))
  })

  it('does the same at every split point', () => {
    const stream = Buffer.concat([plain, poison, plain])
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
    const stream = Buffer.concat([frame(3, 1, poison), plain])
    expect(filtered(stream)).toEqual(stream)
  })

  it('has nothing against a message without properties', () => {
    const stream = Buffer.concat([deliver, contentHeader(1, 0, 0), plain])
    expect(filtered(stream)).toEqual(stream)
  })
})

describe("amqplib's stream, with the filter before it", () => {
  function filteredStream(): Readable {
    const stream = new Readable({ read() {} })
    filterContentHeaders({ connection: { stream } } as unknown as ChannelModel)
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
    stream.push(poison.subarray(0, 500))
    expect(stream.read()).toEqual(deliver)
    stream.push(poison.subarray(500, 600))
    expect(stream.read()).toHaveLength(0)
    stream.push(poison.subarray(600))
    expect(stream.read()).toHaveLength(filtered(poison).length - deliver.length)
  })
})
