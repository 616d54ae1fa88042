import type { Readable } from 'node:stream'
import type { ChannelModel } from 'amqplib'
import { socketOf } from './connection.ts'
import { makeDecodable } from './field-table.ts'

/*
 * What amqplib cannot decode ends the connection, and the broker hands the message out again, to every daemon, for ever.
 * RabbitMQ reads what it passes on, but it knows a type more than amqplib, and no limit to the depth of header tables. So
 * we look at content headers first, and replace a table that amqplib could not decode by one that says why.
 * See docs/decisions/0011-content-headers-are-read-before-amqplib.md.
 */

/** Names the defect in place of the table. Nobody else can know the name: a publisher could forge any other. */
const DEFECT = `x-fpm-bridge-defect-${crypto.randomUUID()}`

/** Frame type of a content header, and the sizes around a payload (AMQP 0-9-1, section 2.3.5). */
const CONTENT_HEADER = 2
const FRAME_HEADER_BYTES = 7
const FRAME_END_BYTES = 1

/** Class, weight and body size come before the property flags (section 2.3.5.2). */
const FLAGS_OFFSET = FRAME_HEADER_BYTES + 12
const FLAG = { contentType: 1 << 15, contentEncoding: 1 << 14, headers: 1 << 13 }

/**
 * Stands before amqplib's reader, from the next frame on: to be called as soon as the connection is open, when the broker
 * says nothing before it is asked.
 */
export function filterContentHeaders(connection: ChannelModel): void {
  // amqplib has no place for a filter.
  const stream: Readable = socketOf(connection)
  const filter = new ContentHeaderFilter()
  const read = stream.read.bind(stream)
  stream.read = (size) => {
    // Node.js itself reads 0 bytes, to have the socket's buffer filled; what it holds is not for it.
    if (size === 0) return read(0)
    const chunk: Buffer | null = read()
    return chunk === null ? null : filter.push(chunk)
  }
}

/** @returns what is wrong with the message, where the filter had to replace its header table */
export function defectOf(headers: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const defect = headers?.[DEFECT]
  return defect === undefined ? undefined : String(defect)
}

/** Takes a stream of frames from its first one on, in any pieces, and hands it on in pieces of its own. */
export class ContentHeaderFilter {
  /** Bytes still to come of a frame that is handed on as it is. */
  #passing = 0
  /** The beginning of a frame that is kept until all of it is here. */
  #kept: Buffer = Buffer.alloc(0)

  /** @returns what can be handed on; perhaps the chunk itself, with changes in it, perhaps nothing */
  push(chunk: Buffer): Buffer {
    const bytes = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk])
    const handedOn: Buffer[] = []
    let from = 0
    let offset = this.#passing
    while (offset + FRAME_HEADER_BYTES <= bytes.length) {
      const end = offset + FRAME_HEADER_BYTES + bytes.readUInt32BE(offset + 3) + FRAME_END_BYTES
      if (bytes[offset] === CONTENT_HEADER) {
        if (end > bytes.length) break
        const replacement = replace(bytes.subarray(offset, end))
        if (replacement !== undefined) {
          handedOn.push(bytes.subarray(from, offset), replacement)
          from = end
        }
      }
      offset = end
    }
    this.#passing = Math.max(offset - bytes.length, 0)
    this.#kept = bytes.subarray(offset)
    const rest = bytes.subarray(from, offset)
    return handedOn.length === 0 ? rest : Buffer.concat([...handedOn, rest])
  }
}

/** @returns the frame to send in place of a content header that amqplib could not decode */
function replace(frame: Buffer): Buffer | undefined {
  const flags = frame.readUInt16BE(FLAGS_OFFSET)
  if ((flags & FLAG.headers) === 0) return undefined
  let table = FLAGS_OFFSET + 2
  // Two short strings may come first.
  if ((flags & FLAG.contentType) !== 0) table += 1 + frame.readUInt8(table)
  if ((flags & FLAG.contentEncoding) !== 0) table += 1 + frame.readUInt8(table)
  const end = table + 4 + frame.readUInt32BE(table)
  const defect = makeDecodable(frame.subarray(table + 4, end))
  if (defect === undefined) return undefined
  const replaced = Buffer.concat([
    frame.subarray(0, table),
    encodeTable(DEFECT, `its header table ${defect}`),
    frame.subarray(end),
  ])
  replaced.writeUInt32BE(replaced.length - FRAME_HEADER_BYTES - FRAME_END_BYTES, 3)
  return replaced
}

/** A field table of one long string. */
function encodeTable(name: string, text: string): Buffer {
  const value = Buffer.from(text)
  const bytes = Buffer.alloc(4 + 1 + name.length + 1 + 4)
  bytes.writeUInt32BE(bytes.length - 4 + value.length)
  let offset = bytes.writeUInt8(name.length, 4)
  offset += bytes.write(`${name}S`, offset, 'latin1')
  bytes.writeUInt32BE(value.length, offset)
  return Buffer.concat([bytes, value])
}
