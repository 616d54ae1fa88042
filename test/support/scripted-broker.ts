import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type BrokerUrl, parseBrokerUrl } from '../../src/amqp/broker-url.ts'
import { contentHeader, FLAG, long, longlong, longString, method, short, shortString } from './amqp-frames.ts'

/*
 * The server's half of AMQP 0-9-1, as little of it as openConnection, Session and ConfirmPublisher need: every queue
 * exists, and every message is confirmed.
 */

export const connectionClose = (code: number, text: string): Buffer =>
  method(0, [10, 50], short(code), shortString(text), short(0), short(0))

/** basic.deliver with a table of headers, already encoded, and an empty body. */
export function delivery(channel: number, deliveryTag: number, headers: Buffer = Buffer.alloc(0)): Buffer {
  const table = Buffer.concat([long(headers.length), headers])
  return Buffer.concat([
    method(
      channel,
      [60, 60],
      shortString('tag'),
      longlong(deliveryTag),
      Buffer.from([0]),
      shortString(''),
      shortString('q'),
    ),
    contentHeader(channel, 0, FLAG.headers, table),
  ])
}

/** connection.start, which offers SASL mechanisms. */
export const start = (mechanisms: string): Buffer =>
  method(0, [10, 10], Buffer.from([0, 9]), long(0), longString(mechanisms), longString('en_US'))
const TUNE = method(0, [10, 30], short(2_047), long(131_072), short(0))

/** basic.ack of one published message, or of all up to it. */
export const confirm = (channel: number, deliveryTag: number, multiple = false): Buffer =>
  method(channel, [60, 80], longlong(deliveryTag), Buffer.from([multiple ? 1 : 0]))

/** What is sent for a method of the client's, with its arguments as they came; undefined: nothing. */
type Answer = (channel: number, broker: ScriptedBroker, args: Buffer) => Buffer | undefined

/** By the name of the method. */
export type Answers = Readonly<Record<string, Answer>>

const ANSWERS: Answers = {
  'connection.start-ok': () => TUNE,
  'connection.open': () => method(0, [10, 41], shortString('')),
  'connection.close': () => method(0, [10, 51]),
  'channel.open': (channel) => method(channel, [20, 11], longString('')),
  'channel.close': (channel) => method(channel, [20, 41]),
  'queue.declare': (channel) => method(channel, [50, 11], shortString('q'), long(0), long(0)),
  'confirm.select': (channel) => method(channel, [85, 11]),
  'basic.qos': (channel) => method(channel, [60, 11]),
  'basic.consume': (channel) => method(channel, [60, 21], shortString('tag')),
  'basic.cancel': (channel) => method(channel, [60, 31], shortString('tag')),
  'basic.get': (channel) => method(channel, [60, 72], shortString('')),
  'basic.publish': (channel, broker) => {
    broker.published += 1
    return confirm(channel, broker.published)
  },
}

const NAMES: Readonly<Record<string, string>> = {
  '10.11': 'connection.start-ok',
  '10.40': 'connection.open',
  '10.50': 'connection.close',
  '20.10': 'channel.open',
  '20.40': 'channel.close',
  '50.10': 'queue.declare',
  '60.10': 'basic.qos',
  '60.20': 'basic.consume',
  '60.30': 'basic.cancel',
  '60.40': 'basic.publish',
  '60.70': 'basic.get',
  '60.80': 'basic.ack',
  '85.10': 'confirm.select',
}

export interface ScriptedBroker {
  readonly url: BrokerUrl
  published: number
  /** The sockets that are open. */
  readonly sockets: ReadonlySet<Socket>
  close(): Promise<void>
}

/** Listens on a port of its own. `onConnect` plays the server; by default it speaks AMQP, with answers replaced. */
export async function listenAmqp(
  answers: Answers = {},
  onConnect?: (socket: Socket) => void,
): Promise<ScriptedBroker> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    if (onConnect !== undefined) onConnect(socket)
    else speak(socket, { ...ANSWERS, ...answers }, broker)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const broker: ScriptedBroker = {
    url: parseBrokerUrl(
      `amqp://alice:hunter2@127.0.0.1:${(server.address() as AddressInfo).port}/shop?heartbeat=0`,
    ),
    published: 0,
    sockets,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  return broker
}

function speak(socket: Socket, answers: Answers, broker: ScriptedBroker): void {
  const PROTOCOL_HEADER = 8
  let rest = Buffer.alloc(0)
  let greeted = false
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    if (!greeted && rest.length >= PROTOCOL_HEADER) {
      greeted = true
      rest = rest.subarray(PROTOCOL_HEADER)
      socket.write(start('PLAIN'))
    }
    while (greeted && rest.length >= 7) {
      const end = 7 + rest.readUInt32BE(3) + 1
      if (rest.length < end) return
      const name = rest[0] === 1 ? NAMES[`${rest.readUInt16BE(7)}.${rest.readUInt16BE(9)}`] : undefined
      const answer =
        name === undefined ? undefined : answers[name]?.(rest.readUInt16BE(1), broker, rest.subarray(11, end))
      rest = rest.subarray(end)
      if (answer !== undefined) socket.write(answer)
    }
  })
}
