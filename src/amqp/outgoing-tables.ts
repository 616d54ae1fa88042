import type { Writable } from 'node:stream'
import type { ChannelModel } from 'amqplib'
import { socketOf } from './connection.ts'
import { CONTENT_HEADER, channelOf, frameBytes, growFrame, tableOffset } from './content-header.ts'

/**
 * Sends header tables that are bytes already, which amqplib's encoder has no way to take. It gives each message an empty table; in
 * its place goes the one that was meant. The messages of one channel leave in their order.
 */
export class OutgoingTables {
  /** By channel, for the messages that amqplib has not written yet. */
  readonly #tables = new Map<number, Buffer[]>()

  /** Stands behind amqplib's writer, which writes whole frames. */
  constructor(connection: ChannelModel) {
    const stream: Writable = socketOf(connection)
    const write = stream.write.bind(stream) as (chunk: unknown) => boolean
    stream.write = (chunk: unknown) => write(Buffer.isBuffer(chunk) ? this.#fill(chunk) : chunk)
  }

  /** @param table with its length, for the next message that `publish` hands to amqplib on this channel */
  with<T>(channel: number, table: Buffer, publish: () => T): T {
    const tables = this.#of(channel)
    tables.push(table)
    try {
      return publish()
    } catch (error) {
      tables.pop()
      throw error
    }
  }

  #of(channel: number): Buffer[] {
    let tables = this.#tables.get(channel)
    if (tables === undefined) {
      tables = []
      this.#tables.set(channel, tables)
    }
    return tables
  }

  #fill(frames: Buffer): Buffer {
    let offset = 0
    while (offset < frames.length) {
      if (frames[offset] === CONTENT_HEADER) {
        const table = this.#tables.get(channelOf(frames, offset))?.shift() ?? Buffer.alloc(4)
        const at = tableOffset(frames, offset)
        growFrame(frames, offset, table.length - 4)
        // A message has one content header, and amqplib puts no two messages into one chunk.
        return Buffer.concat([frames.subarray(0, at), table, frames.subarray(at + 4)])
      }
      offset += frameBytes(frames, offset)
    }
    return frames
  }
}
