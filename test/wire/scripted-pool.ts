import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastCgiClientOptions } from '../../src/fastcgi/types.ts'

/** FastCGI 1.0, section 8. */
export const TYPE = { begin: 1, abort: 2, end: 3, params: 4, stdin: 5, stdout: 6, stderr: 7 } as const

/** A record of request 1, the first on its connection. Padding, where asked for, is made of bytes that would show. */
export function record(type: number, content: string | Buffer = '', padding = 0): Buffer {
  const bytes = Buffer.from(content)
  const header = Buffer.from([1, type, 0, 1, 0, 0, padding, 0])
  header.writeUInt16BE(bytes.length, 4)
  return Buffer.concat([header, bytes, Buffer.alloc(padding, 0xaa)])
}

export const endRequest = (protocolStatus = 0, appStatus = 0): Buffer => {
  const body = Buffer.alloc(8)
  body.writeUInt32BE(appStatus)
  body[4] = protocolStatus
  return record(TYPE.end, body)
}

/** A stream of any length as records. */
export function streamOf(type: number, content: Buffer, chunk = 65_528): Buffer {
  const records: Buffer[] = []
  for (let at = 0; at < content.length; at += chunk)
    records.push(record(type, content.subarray(at, at + chunk)))
  return Buffer.concat(records)
}

/** The records of request 1 under another id. What is not a record, or not whole, stays as it is. */
export function withId(records: Buffer, requestId: number): Buffer {
  const bytes = Buffer.from(records)
  for (let at = 0; at + 8 <= bytes.length && bytes[at] === 1; ) {
    if (bytes.readUInt16BE(at + 2) === 1) bytes.writeUInt16BE(requestId, at + 2)
    at += 8 + bytes.readUInt16BE(at + 4) + (bytes[at + 6] ?? 0)
  }
  return bytes
}

/** What a client has sent so far. */
export class ReceivedRequest {
  readonly params = new Map<string, string>()
  id = 0
  keepConn = false
  stdin = Buffer.alloc(0)
  /** Whether the empty stdin record has come. Unix sockets do without. */
  stdinEnded = false
  #paramsEnded = false
  #rest = Buffer.alloc(0)

  /** Whether php-fpm would have all it reads: the params, and CONTENT_LENGTH bytes. */
  get whole(): boolean {
    return this.#paramsEnded && this.stdin.length >= Number(this.params.get('CONTENT_LENGTH') ?? 0)
  }

  take(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk])
    for (;;) {
      if (this.#rest.length < 8) return
      const length = this.#rest.readUInt16BE(4)
      const end = 8 + length + (this.#rest[6] ?? 0)
      if (this.#rest.length < end) return
      const content = this.#rest.subarray(8, 8 + length)
      if (this.#rest[1] === TYPE.begin) {
        this.id = this.#rest.readUInt16BE(2)
        this.keepConn = ((content[2] ?? 0) & 1) === 1
      }
      if (this.#rest[1] === TYPE.params) {
        this.#readParams(content)
        this.#paramsEnded = length === 0
      }
      if (this.#rest[1] === TYPE.stdin) {
        this.stdin = Buffer.concat([this.stdin, content])
        if (length === 0) this.stdinEnded = true
      }
      this.#rest = this.#rest.subarray(end)
    }
  }

  #readParams(content: Buffer): void {
    let at = 0
    const length = (): number => {
      const short = content[at] ?? 0
      at += short < 128 ? 1 : 4
      return short < 128 ? short : content.readUInt32BE(at - 4) & 0x7fff_ffff
    }
    while (at < content.length) {
      const [name, value] = [length(), length()]
      this.params.set(
        content.toString('utf8', at, at + name),
        content.toString('utf8', at + name, at + name + value),
      )
      at += name + value
    }
  }
}

/** What the pool does with each connection; `request` grows as bytes arrive. */
export type Script = (socket: Socket, request: ReceivedRequest) => void | Promise<void>

export interface ScriptedPool extends Pick<FastCgiClientOptions, 'address'> {
  readonly requests: readonly ReceivedRequest[]
  close(): Promise<void>
}

/** Listens on a socket of its own, of either kind, and plays the script on each connection. */
export async function listen(script: Script, kind: 'unix' | 'tcp' = 'unix'): Promise<ScriptedPool> {
  const folder = mkdtempSync(join(tmpdir(), 'fpm-bridge-wire-'))
  const path = join(folder, 'fpm.sock')
  const requests: ReceivedRequest[] = []
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    const request = new ReceivedRequest()
    requests.push(request)
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    void script(socket, request)
  })
  if (kind === 'unix') server.listen(path)
  else server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address:
      kind === 'unix'
        ? { kind, path }
        : { kind, host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    requests,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Reads until the request is whole. */
export function wholeRequest(socket: Socket, request: ReceivedRequest): Promise<void> {
  return new Promise((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      request.take(chunk)
      if (request.whole) resolve()
    })
  })
}

/** Answers each whole request with these bytes, and closes: php-fpm without KEEP_CONN. */
export const answering =
  (...chunks: Buffer[]): Script =>
  async (socket, request) => {
    await wholeRequest(socket, request)
    for (const chunk of chunks) {
      socket.write(chunk)
      // Three turns of the loop between two writes: in one of them the client reads the first alone.
      for (let turn = 0; turn < 3 && chunks.length > 1; turn += 1) {
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    socket.end()
  }
