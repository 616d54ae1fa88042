import { once } from 'node:events'
import { connect } from 'node:net'
import { expect } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { handlerScript } from '../support/handler-script.ts'
import { PARAMS, test } from '../support/worker-requests.ts'

/*
 * After fastcgi_finish_request() a script runs on, and php-fpm sends what it prints after the end of its answer. On a kept
 * connection that is where the next message's answer begins.
 */

const BEGIN_REQUEST = 1
const END_REQUEST = 3
const PARAMS_RECORD = 4
const STDIN = 5
const KEEP_CONN = 1

const LATE = {
  'the handler': "fastcgi_finish_request(); echo 'late'; flush();",
  'a function at the end of the script':
    "fastcgi_finish_request(); register_shutdown_function(function () { echo 'late'; flush(); });",
} as const

test.for(Object.entries(LATE))(
  'what %s prints after the answer is over goes nowhere',
  async ([, php], { ownPool }) => {
    const pool = await ownPool({ children: 1 })
    const { script, executions } = handlerScript(pool.directory, php)
    const socket = connect(pool.socket)
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    for (const [index, body] of ['{"do":"one"}', '{"do":"two"}'].entries()) {
      const params = {
        ...PARAMS,
        REQUEST_METHOD: 'POST',
        SCRIPT_FILENAME: script,
        CONTENT_LENGTH: `${body.length}`,
      }
      socket.write(request(params, body))
      // The child takes the second once the script of the first has come to its end.
      await eventually('it is executed', () => executions().length > index)
    }
    const closed = once(socket, 'close')
    await eventually(
      'both are answered',
      () => typesIn(chunks).filter((type) => type === END_REQUEST).length === 2,
    )
    socket.end()
    await closed
    const received = Buffer.concat(chunks)
    expect(received.includes('X-Bridge-Outcome: retry')).toBe(true)
    expect(received.includes('late')).toBe(false)
  },
)

function record(type: number, content: Buffer): Buffer {
  const header = Buffer.from([1, type, 0, 1, 0, 0, 0, 0])
  header.writeUInt16BE(content.length, 4)
  return Buffer.concat([header, content])
}

/** A request that keeps its connection; names and values of less than 128 bytes. */
function request(params: Readonly<Record<string, string>>, body: string): Buffer {
  const pairs = Object.entries(params).map(([name, value]) =>
    Buffer.concat([Buffer.from([name.length, value.length]), Buffer.from(name + value)]),
  )
  return Buffer.concat([
    record(BEGIN_REQUEST, Buffer.from([0, 1, KEEP_CONN, 0, 0, 0, 0, 0])),
    record(PARAMS_RECORD, Buffer.concat(pairs)),
    record(PARAMS_RECORD, Buffer.alloc(0)),
    record(STDIN, Buffer.from(body)),
    record(STDIN, Buffer.alloc(0)),
  ])
}

function typesIn(chunks: readonly Buffer[]): number[] {
  const all = Buffer.concat(chunks)
  const types: number[] = []
  for (let at = 0; at + 8 <= all.length; at += 8 + all.readUInt16BE(at + 4) + all.readUInt8(at + 6)) {
    types.push(all.readUInt8(at + 1))
  }
  return types
}
