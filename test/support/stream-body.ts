import { parsePoolAddress } from '../../src/fastcgi/address.ts'
import { PoolClient } from '../../src/fastcgi/client.ts'

/*
 * Sends a body of MEBIBYTES (second argument) from a stream to the pool at SOCKET (first) and has SCRIPT (third) tell
 * of it. Writes JSON: the answer, and by how many bytes the process grew at most.
 */
const [socket = '', mebibytes = '', script = ''] = process.argv.slice(2)
const length = Number(mebibytes) * 1024 * 1024

const client = new PoolClient({
  address: parsePoolAddress(socket),
  params: { REQUEST_METHOD: 'POST', SCRIPT_FILENAME: script, CONTENT_TYPE: 'application/octet-stream' },
  maxResponse: 1024,
  maxStderr: 1024,
  keepAlive: false,
  timeout: 60_000,
  statusPath: '/status',
})

let most = 0
async function* pieces(bytes: number) {
  const piece = Buffer.alloc(64 * 1024, 'abcdefg')
  for (let sent = 0; sent < bytes; sent += piece.length) {
    most = Math.max(most, process.memoryUsage.rss())
    yield piece
  }
}

const send = (bytes: number) =>
  client.request({ params: { ACTION: 'tell' }, body: { length: bytes, pieces: pieces(bytes) } })

// What the process needs once, it has after this.
await send(8 * 1024 * 1024)
const before = process.memoryUsage.rss()
most = before
const { body } = await send(length)
process.stdout.write(JSON.stringify({ answer: JSON.parse(body.toString()), grown: most - before }))
client.close()
