// node shortest-loop.mjs URL QUEUE PREFETCH SOCKET SCRIPT
//
// The least code that does the bridge's work on a good day: amqplib, one kept connection for each message in flight, an
// ack when the answer is complete. What the bridge is slower than this is the price of what it does beside.

import { connect as connectSocket } from 'node:net'
import { connect } from 'amqplib'

const [url = '', queue = '', prefetch = '', socketPath = '', script = ''] = process.argv.slice(2)
const BEGIN_KEEP = Buffer.from([1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0])
const END_REQUEST = 3
const PARAMS = 4
const STDIN = 5

/** @param {number} type @param {Buffer} content of any length @returns {Buffer[]} records */
function records(type, content) {
  const pieces = []
  for (let offset = 0; offset < content.length; offset += 65_535) {
    const piece = content.subarray(offset, offset + 65_535)
    pieces.push(Buffer.from([1, type, 0, 1, piece.length >> 8, piece.length & 255, 0, 0]), piece)
  }
  return pieces
}

/** @param {Record<string, string>} params with names and values of less than 128 bytes */
function pairs(params) {
  const bytes = Object.entries(params).map(([name, value]) =>
    Buffer.from(String.fromCharCode(name.length, value.length) + name + value, 'latin1'),
  )
  return Buffer.concat(bytes)
}

const common = records(
  PARAMS,
  pairs({
    REQUEST_METHOD: 'POST',
    SCRIPT_FILENAME: script,
    CONTENT_TYPE: 'application/x-www-form-urlencoded',
  }),
)
const endOfParams = Buffer.from([1, PARAMS, 0, 1, 0, 0, 0, 0])
const endOfStdin = Buffer.from([1, STDIN, 0, 1, 0, 0, 0, 0])

/** @param {Buffer} content the message */
function encode(content) {
  const fields = new URLSearchParams({ ...JSON.parse(content.toString()), daemonId: 'D-1' })
  const form = Buffer.from(fields.toString())
  const length = records(PARAMS, pairs({ CONTENT_LENGTH: String(form.length) }))
  return Buffer.concat([BEGIN_KEEP, ...common, ...length, endOfParams, ...records(STDIN, form), endOfStdin])
}

/** Whether the records received so far end with a whole endRequest. @param {Buffer} answer */
function isComplete(answer) {
  for (let offset = 0; offset + 8 <= answer.length; ) {
    const next = offset + 8 + answer.readUInt16BE(offset + 4) + answer.readUInt8(offset + 6)
    if (answer[offset + 1] === END_REQUEST) return next <= answer.length
    offset = next
  }
  return false
}

const connection = await connect(url)
const channel = await connection.createChannel()
await channel.prefetch(Number(prefetch))

/** @type {Set<number>} */
const done = new Set()
let settledUpTo = 0
let scheduled = false

/** One frame for all that is contiguous, once per turn of the event loop. Faster than an ack for each message. */
function flush() {
  scheduled = false
  const before = settledUpTo
  while (done.delete(settledUpTo + 1)) settledUpTo += 1
  if (settledUpTo > before) channel.ack(/** @type {any} */ ({ fields: { deliveryTag: settledUpTo } }), true)
}

/** @type {import('node:net').Socket[]} */
const idle = []
for (let lane = 0; lane < Number(prefetch); lane += 1) idle.push(connectSocket(socketPath))

await channel.consume(queue, (message) => {
  if (message === null) process.exit(1)
  // There are as many connections as unacked messages: one is idle.
  const socket = /** @type {import('node:net').Socket} */ (idle.pop())
  let answer = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    answer = answer.length === 0 ? chunk : Buffer.concat([answer, chunk])
    if (!isComplete(answer)) return
    socket.removeAllListeners('data')
    idle.push(socket)
    done.add(message.fields.deliveryTag)
    if (!scheduled) setImmediate(flush)
    scheduled = true
  })
  socket.write(encode(message.content))
})
process.on('SIGTERM', () => channel.close().then(() => process.exit(0)))
