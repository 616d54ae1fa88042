import type { Readable } from 'node:stream'
import type { ChannelModel } from 'amqplib'
import { socketOf } from './connection.ts'
import {
  CONTENT_HEADER,
  FRAME_END_BYTES,
  FRAME_HEADER_BYTES,
  frameBytes,
  growFrame,
  tableOffset,
} from './content-header.ts'

/*
 * amqplib decodes the header table of each message, and ends the connection over one that it cannot decode: the broker hands
 * the message out again, to every daemon, for ever. What it can decode it cannot always encode again. So it gets a table with
 * one field, a byte array, which is the table as it came. An empty one, which many clients send, is no trouble, and passes as it is.
 * See docs/decisions/0014-header-tables-are-carried-as-bytes.md.
 */

/** The name of that field. Nobody else can know it: a publisher could forge any other. */
const TABLE = `x-fpm-bridge-table-${crypto.randomUUID()}`

/** A byte array is a length and bytes, and so is a table: this before it makes the one the other. */
const BEFORE = Buffer.concat([Buffer.alloc(4), Buffer.from(`${String.fromCharCode(TABLE.length)}${TABLE}x`)])

/**
 * The largest frame that is taken in. RabbitMQ does not split the content header of a message whose publisher was allowed larger
 * frames than we are, so that the negotiated frame_max is no bound; this is what `frame_max` in --url may be.
 */
const MAX_FRAME_BYTES = 16 * 1024 * 1024

/**
 * Stands before amqplib's reader, from the next frame on: to be called as soon as the connection is open, when the broker
 * says nothing before it is asked.
 */
export function keepHeaderTables(connection: ChannelModel): void {
  // amqplib has no place for a filter.
  const stream: Readable = socketOf(connection)
  const filter = new ContentHeaderFilter()
  const read = stream.read.bind(stream)
  stream.read = (size) => {
    // Node.js itself reads 0 bytes, to have the socket's buffer filled; what it holds is not for it.
    if (size === 0) return read(0)
    const chunk: Buffer | null = read()
    try {
      return chunk === null ? null : filter.push(chunk)
    } catch (error) {
      stream.destroy(error as Error)
      return null
    }
  }
}

/** @returns the header table of a message as it came, without its length; undefined when it has none, or an empty one */
export function tableOf(headers: Readonly<Record<string, unknown>> | undefined): Buffer | undefined {
  return headers?.[TABLE] as Buffer | undefined
}

/** Takes a stream of frames from its first one on, in any pieces, and hands it on in pieces of its own. */
export class ContentHeaderFilter {
  /** Bytes still to come of a frame that is handed on as it is. */
  #passing = 0
  /** The beginning of a frame that is kept until all of it is here. */
  #kept: Buffer[] = []
  #keptBytes = 0
  /** How many bytes are to be there before it is worth a look. */
  #wanted = 0

  /**
   * @returns what can be handed on; perhaps the chunk itself, perhaps nothing
   * @throws when the peer announces a frame that is too large
   */
  push(chunk: Buffer): Buffer {
    const bytes = this.#join(chunk)
    if (bytes === undefined) return Buffer.alloc(0)
    const handedOn: Buffer[] = []
    let from = 0
    let offset = this.#passing
    this.#wanted = FRAME_HEADER_BYTES
    while (offset + FRAME_HEADER_BYTES <= bytes.length) {
      const size = frameBytes(bytes, offset)
      if (size > MAX_FRAME_BYTES) throw tooLarge(size)
      if (bytes[offset] === CONTENT_HEADER) {
        if (offset + size > bytes.length) {
          this.#wanted = size
          break
        }
        const table = tableOffset(bytes, offset)
        if (table > 0) {
          const tableBytes = bytes.readUInt32BE(table)
          if (table + 4 + tableBytes > offset + size - FRAME_END_BYTES) throw cutOff()
          if (tableBytes > 0) {
            growFrame(bytes, offset, BEFORE.length)
            handedOn.push(bytes.subarray(from, table), wrapping(tableBytes))
            from = table
          }
        }
      }
      offset += size
    }
    this.#passing = Math.max(offset - bytes.length, 0)
    this.#keep(bytes.subarray(offset))
    const rest = bytes.subarray(from, offset)
    if (handedOn.length === 0) return rest
    handedOn.push(rest)
    return Buffer.concat(handedOn)
  }

  #keep(bytes: Buffer): void {
    this.#kept = bytes.length === 0 ? [] : [bytes]
    this.#keptBytes = bytes.length
  }

  /** @returns what is kept and the chunk, once that is enough */
  #join(chunk: Buffer): Buffer | undefined {
    if (this.#keptBytes === 0) return chunk
    this.#kept.push(chunk)
    this.#keptBytes += chunk.length
    return this.#keptBytes < this.#wanted ? undefined : Buffer.concat(this.#kept)
  }
}

/** What comes before a table to make it a field of one. */
function wrapping(tableBytes: number): Buffer {
  const before = Buffer.from(BEFORE)
  before.writeUInt32BE(BEFORE.length + tableBytes)
  return before
}

function tooLarge(size: number): Error {
  return new Error(
    `the broker announces a frame of ${size} bytes; none may have more than ${MAX_FRAME_BYTES}`,
  )
}

function cutOff(): Error {
  return new Error('the broker has sent a header table that is larger than its frame')
}
