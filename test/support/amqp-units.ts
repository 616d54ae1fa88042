/*
 * AMQP 0-9-1 as it passes on a link, cut into what belongs together: a method with its content, if it has one.
 */

/** One thing that a peer says. */
export interface Unit {
  /** All its frames. */
  readonly bytes: Buffer
  /** `other`: whatever nobody here asks about, heartbeats and the protocol header too. */
  readonly name: 'deliver' | 'publish' | 'ack' | 'other'
  readonly channel: number
  /** Of a publish its number on the channel, from 1: what the broker's confirm says. Of `other` 0. */
  readonly deliveryTag: number
  /** Whether an ack is for all up to its tag. */
  readonly multiple: boolean
}

const NAMES: Readonly<Record<string, Unit['name']>> = {
  '60.40': 'publish',
  '60.60': 'deliver',
  '60.80': 'ack',
}
/** basic.publish, return, deliver and get-ok. */
const WITH_CONTENT: readonly string[] = ['60.40', '60.50', '60.60', '60.71']

const METHOD = 1
const CONTENT_HEADER = 2
const BODY = 3
const PROTOCOL_HEADER = Buffer.from('AMQP')

/** A unit whose content has not come whole. */
interface Begun {
  readonly frames: Buffer[]
  readonly unit: Omit<Unit, 'bytes'>
  /** Bytes of the body that are to come; undefined before the content header. */
  missing: number | undefined
}

/** Reads one direction of one connection. */
export class UnitReader {
  readonly #begun = new Map<number, Begun>()
  readonly #published = new Map<number, number>()
  #rest: Buffer = Buffer.alloc(0)

  /** What this chunk completes, in order. */
  take(chunk: Buffer): Unit[] {
    this.#rest = Buffer.concat([this.#rest, chunk])
    const units: Unit[] = []
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) {
      const unit = this.#unit(frame)
      if (unit !== undefined) units.push(unit)
    }
    return units
  }

  /** The next whole frame, or the eight bytes that a client begins with. */
  #next(): Buffer | undefined {
    if (this.#rest.length < 8) return undefined
    const isHeader = this.#rest.subarray(0, 4).equals(PROTOCOL_HEADER)
    const size = isHeader ? 8 : 8 + this.#rest.readUInt32BE(3)
    if (this.#rest.length < size) return undefined
    const frame = this.#rest.subarray(0, size)
    this.#rest = this.#rest.subarray(size)
    return frame
  }

  #unit(frame: Buffer): Unit | undefined {
    const [type, channel, payload] = [frame[0], frame.readUInt16BE(1), frame.subarray(7, -1)]
    if (type === METHOD) return this.#method(frame, channel, payload)
    const begun = this.#begun.get(channel)
    if (begun === undefined || (type !== CONTENT_HEADER && type !== BODY)) return other(frame, channel)
    begun.frames.push(frame)
    begun.missing =
      type === CONTENT_HEADER ? Number(payload.readBigUInt64BE(4)) : (begun.missing ?? 0) - payload.length
    if (begun.missing > 0) return undefined
    this.#begun.delete(channel)
    return { ...begun.unit, bytes: Buffer.concat(begun.frames) }
  }

  #method(frame: Buffer, channel: number, payload: Buffer): Unit | undefined {
    const id = `${payload.readUInt16BE(0)}.${payload.readUInt16BE(2)}`
    const unit = { channel, ...this.#describe(NAMES[id] ?? 'other', channel, payload.subarray(4)) }
    if (!WITH_CONTENT.includes(id)) return { ...unit, bytes: frame }
    this.#begun.set(channel, { frames: [frame], unit, missing: undefined })
    return undefined
  }

  #describe(name: Unit['name'], channel: number, args: Buffer): Omit<Unit, 'bytes' | 'channel'> {
    const tag = (offset: number) => Number(args.readBigUInt64BE(offset))
    if (name === 'ack') return { name, deliveryTag: tag(0), multiple: args[8] === 1 }
    // The consumer tag comes first.
    if (name === 'deliver') return { name, deliveryTag: tag(1 + (args[0] ?? 0)), multiple: false }
    if (name === 'other') return { name, deliveryTag: 0, multiple: false }
    const deliveryTag = (this.#published.get(channel) ?? 0) + 1
    this.#published.set(channel, deliveryTag)
    return { name, deliveryTag, multiple: false }
  }
}

const other = (bytes: Buffer, channel: number): Unit => {
  return { bytes, name: 'other', channel, deliveryTag: 0, multiple: false }
}
