import type { Writable } from 'node:stream'
import type { ChannelModel } from 'amqplib'
import { socketOf } from './connection.ts'

/**
 * Has all that is written to a connection at once leave in one write. amqplib writes each frame, and each message, by itself, and a write
 * costs more than most of what is written.
 */
export function gatherWrites(connection: ChannelModel): void {
  const stream: Writable = socketOf(connection)
  const write = stream.write.bind(stream) as (chunk: unknown) => boolean
  let isGathering = false
  const leave = (): void => {
    isGathering = false
    stream.uncork()
  }
  stream.write = (chunk: unknown) => {
    if (!isGathering) {
      isGathering = true
      stream.cork()
      process.nextTick(leave)
    }
    return write(chunk)
  }
}
