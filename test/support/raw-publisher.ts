import { once } from 'node:events'
import { connect } from 'node:net'
import { contentHeader, FLAG, frame, long, longString, method, short, shortString } from './amqp-frames.ts'
import type { Broker } from './broker-api.ts'

export interface RawMessage {
  /** The property flags and the values they announce, already encoded. */
  readonly flags: number
  readonly properties: readonly Buffer[]
  readonly body?: Buffer
}

/** A persistent message with the given header fields, already encoded, and a message id. */
export function withHeaders(fields: Buffer, messageId = '', body = Buffer.from('{}')): RawMessage {
  const properties = [Buffer.concat([long(fields.length), fields]), Buffer.from([2]), shortString(messageId)]
  return { flags: FLAG.headers | FLAG.deliveryMode | FLAG.messageId, properties, body }
}

/**
 * Publishes to a queue, which must exist, byte for byte what it is given: amqplib's encoder overflows its stack with
 * tables that RabbitMQ takes, and writes no nonsense. Resolves when the broker has confirmed the message.
 *
 * @throws with the broker's words, when it closes channel or connection instead
 */
export async function publishRaw(
  broker: Pick<Broker, 'port'>,
  queue: string,
  message: RawMessage,
): Promise<void> {
  const socket = connect(broker.port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    const { flags, properties, body = Buffer.from('{}') } = message
    const say = (...frames: Buffer[]): void => void socket.write(Buffer.concat(frames))
    say(Buffer.from('AMQP\0\0\x09\x01'))
    for await (const [id, args] of methods(socket)) {
      const next = ANSWERS[id]
      if (next !== undefined) say(...next)
      else if (id === CONFIRM_SELECT_OK) {
        say(
          method(1, [60, 40], short(0), shortString(''), shortString(queue), Buffer.from([0])),
          contentHeader(1, body.length, flags, ...properties),
          frame(3, 1, body),
        )
      } else if (id === BASIC_ACK) return
      else throw new Error(args.toString('latin1', 3, 3 + (args[2] ?? 0)))
    }
    throw new Error('the broker has closed the connection without a word')
  } finally {
    socket.destroy()
  }
}

const CONFIRM_SELECT_OK = '85.11'
const BASIC_ACK = '60.80'

/** What a client says to connection.start, tune and open-ok, and to channel.open-ok. */
const ANSWERS: Readonly<Record<string, readonly Buffer[]>> = {
  '10.10': [
    method(0, [10, 11], long(0), shortString('PLAIN'), longString('\0guest\0guest'), shortString('en_US')),
  ],
  '10.30': [
    method(0, [10, 31], short(1), long(131_072), short(0)),
    method(0, [10, 40], shortString('/'), Buffer.from([0, 0])),
  ],
  '10.41': [method(1, [20, 10], shortString(''))],
  '20.11': [method(1, [85, 10], Buffer.from([0]))],
}

/** The methods that come in, by their numbers, each with its arguments. */
async function* methods(socket: AsyncIterable<Buffer>): AsyncGenerator<[id: string, args: Buffer]> {
  let rest = Buffer.alloc(0)
  for await (const chunk of socket) {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 7 && rest.length >= 8 + rest.readUInt32BE(3)) {
      const payload = rest.subarray(7, 7 + rest.readUInt32BE(3))
      if (rest[0] === 1) yield [`${payload.readUInt16BE(0)}.${payload.readUInt16BE(2)}`, payload.subarray(4)]
      rest = rest.subarray(8 + payload.length)
    }
  }
}
