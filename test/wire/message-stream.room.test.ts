import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { RecordType } from '../../src/fastcgi/protocol.ts'
import { encodeHeader } from '../../src/fastcgi/records.ts'
import { RequestEncoder } from '../../src/fastcgi/request.ts'
import { connectReading } from '../../src/fastcgi/socket.ts'
import { Message } from '../../src/message-stream/message.ts'
import { MessageStream } from '../../src/message-stream/message-stream.ts'
import { FIXED_LIMITS, LEASE } from '../../src/message-stream/stream-limits.ts'
import { temporaryFolder } from '../support/run-folder.ts'

/* What a stream has room for, before a worker that has said hello and answers nothing. */

const NONCE = '9f3c01d27ab845e6b0c2f1938d64ea57'

let server: Server | undefined
const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  server?.close()
})

const hello = Buffer.concat([Buffer.from(`${NONCE}H`), Buffer.alloc(8)])
const record = Buffer.concat([encodeHeader(RecordType.stdout, 1, hello.length), hello])

/** Resolves when the hello has come. */
async function openStream(): Promise<MessageStream> {
  const path = join(temporaryFolder('room'), 'fpm.sock')
  server = createServer((socket) => {
    sockets.push(socket)
    socket.resume().write(record)
  })
  await new Promise<void>((resolve) => server?.listen(path, resolve))
  const socket = await connectReading({ kind: 'unix', path }, 1_000)
  sockets.push(socket)
  const limits = {
    ...FIXED_LIMITS,
    addressKind: 'unix',
    messages: 100,
    lifetime: 60_000,
    timeout: 0,
  } as const
  return new Promise((resolve) => {
    const stream = new MessageStream(
      socket,
      new RequestEncoder({ params: {}, endOfStdin: false }).open({}, 1),
      NONCE,
      { ...limits, maxResponse: 1_024, maxStderr: 1_024 },
      {
        onHello: () => {},
        onRoom: () => resolve(stream),
        onTaken: () => {},
        onGivenBack: () => {},
        onOver: () => {},
      },
    )
  })
}

test('a stream with more messages than it takes by now has no room, and none to owe', async () => {
  const stream = await openStream()
  const now = performance.now()
  expect(stream.room(7, now)).toBe(8)
  const send = () => {
    const message = new Message({ params: {}, body: Buffer.alloc(0) }, Buffer.alloc(0))
    message.answer.catch(() => {})
    stream.send(message, now)
  }
  for (let count = 0; count < 4; count += 1) send()
  expect(stream.room(7, now)).toBe(4)
  // Not for one message a write.
  send()
  expect(stream.room(7, now)).toBe(0)
  // Messages have become slower, or the first of these is: others are asked whether they have room, and add theirs to this.
  expect(stream.room(1, now)).toBe(0)
  expect(stream.room(7, now + LEASE)).toBe(0)
})
