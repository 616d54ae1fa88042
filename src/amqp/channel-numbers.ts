import type { Duplex, PassThrough } from 'node:stream'
import type { ChannelModel } from 'amqplib'

/*
 * amqplib gives the number of a closed channel to the next one at once, while frames of the former still wait for their turn. The broker
 * would get both mixed: channel.open for a channel that it has not closed yet, which it ignores, or a publish of one bridge on the channel
 * of another.
 */

/** What we know of amqplib's class, which its types leave out: hence the narrow version range of the package. */
interface RawConnection {
  readonly stream: Duplex
  readonly channels: ({ readonly buffer: PassThrough } | null)[]
  readonly freeChannels: { clear(bit: number): void }
  releaseChannel(number: number): void
  /** When the connection has ended. */
  _closeChannels(stack: string): void
}

/** To be called once per connection: from then on a number is free when the last frame of its channel has left. */
export function keepNumbersUntilSent(connection: ChannelModel): void {
  const raw = connection.connection as unknown as RawConnection
  const closeChannels = raw._closeChannels
  let ended = false
  raw._closeChannels = (stack) => {
    ended = true
    closeChannels.call(raw, stack)
  }
  raw.releaseChannel = (number) => {
    const buffer = raw.channels[number]?.buffer
    raw.channels[number] = null
    if (buffer === undefined || ended) return
    const free = (): void => raw.freeChannels.clear(number)
    // Mostly it is the answer to the broker's channel.close alone, and whoever opens a channel next needs not wait.
    for (let frames = buffer.read(); frames !== null; frames = buffer.read()) raw.stream.write(frames)
    if (buffer.writableLength === 0) free()
    else buffer.once('end', free)
    buffer.end()
  }
}
