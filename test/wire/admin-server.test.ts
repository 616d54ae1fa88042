import { once } from 'node:events'
import type { Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { json, type Page } from '../../src/admin/page.ts'
import { createAdminServer } from '../../src/admin/server.ts'
import { ask } from '../support/admin.ts'
import { eventually } from '../support/eventually.ts'

/* Clients that mean well, and others. */

let server: Server
let port: number
let where: string
const sockets: Socket[] = []

async function serve(
  pages: Readonly<Record<string, Page>>,
  { token, host }: { readonly token?: string; readonly host?: string } = {},
): Promise<void> {
  server = createAdminServer({ pages: new Map(Object.entries(pages)), token, host })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
  where = `127.0.0.1:${port}`
}

/** A connection, and what came on it until it was closed. */
function open(): { readonly socket: Socket; readonly closed: Promise<string> } {
  const socket = connect(port, '127.0.0.1')
  sockets.push(socket)
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  // A reset is an end, too.
  socket.on('error', () => {})
  const closed = once(socket, 'close').then(() => Buffer.concat(chunks).toString('latin1'))
  return { socket, closed }
}

/** More than the head of a request may have. */
const MUCH = 'x'.repeat(9_000)

const page: Page = () => json(200, { hello: 'world' })

beforeEach(() => serve({ '/page': page }))
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  server.closeAllConnections()
  server.close()
})

describe('a request', () => {
  it('is answered', async () => {
    expect(await ask(where, '/page')).toEqual({
      status: 200,
      type: 'application/json; charset=utf-8',
      body: '{\n  "hello": "world"\n}\n',
    })
    expect(await ask(where, '/page?a=b')).toMatchObject({ status: 200 })
    expect(await ask(where, '/page', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' })
  })

  it.each([
    ['/', {}, 404],
    ['/page/', {}, 404],
    ['/__proto__', {}, 404],
    ['//page', {}, 404],
    ['/page', { method: 'POST' }, 405],
    ['/page', { method: 'DELETE' }, 405],
    ['/page', { method: 'OPTIONS' }, 405],
    ['/page', { body: 'x', headers: { 'content-length': '1' } }, 413],
    ['/page', { headers: { 'content-length': '99999999999' } }, 413],
    ['/page', { headers: { 'transfer-encoding': 'chunked' } }, 413],
    ['/page', { headers: { expect: '100-continue', 'content-length': '5' } }, 413],
    ['/page', { headers: { expect: 'miracles' } }, 417],
    ['/page', { headers: { 'x-large': MUCH } }, 431],
    [`/${MUCH}`, {}, 431],
  ])('for %.20s with %.60j is refused with %i', async (path, options, status) => {
    expect(await ask(where, path, options)).toMatchObject({ status })
    expect(await ask(where, '/page')).toMatchObject({ status: 200 })
  })

  it('whose page fails is told so', async () => {
    server.close()
    await serve({ '/page': () => Promise.reject(new Error('out of order')) })
    expect(await ask(where, '/page')).toMatchObject({
      status: 500,
      body: 'internal fault: Error: out of order\n',
    })
  })
})

describe('a token', () => {
  const token = 'a-token-of-some-length'
  beforeEach(async () => {
    server.close()
    await serve({ '/page': page }, { token })
  })

  it.each([
    ['', 401],
    [token, 401],
    [`Basic ${token}`, 401],
    ['Bearer', 401],
    [`Bearer ${token}x`, 401],
    [`Bearer ${token.slice(0, -1)}`, 401],
    [`Bearer ${token}`, 200],
    [`bearer  ${token}`, 200],
  ])('in the header "%s": %i', async (authorization, status) => {
    expect(await ask(where, '/page', { headers: { authorization } })).toMatchObject({ status })
  })

  it('is missing before anything else is', async () => {
    expect(await ask(where, '/other')).toMatchObject({ status: 401 })
    expect(await ask(where, '/page', { method: 'POST', body: 'x' })).toMatchObject({ status: 401 })
  })
})

describe('where a browser could be led here, a Host header', () => {
  beforeEach(async () => {
    server.close()
    await serve({ '/page': page }, { host: 'admin.internal' })
  })

  it.each([
    ['127.0.0.1:9180', 200],
    ['127.8.9.1', 200],
    ['localhost:9180', 200],
    ['LOCALHOST', 200],
    ['[::1]:9180', 200],
    ['admin.internal:9180', 200],
    ['evil.example:9180', 403],
    ['localhost.evil.example', 403],
    ['127.0.0.1.evil.example', 403],
    ['10.0.0.1:9180', 403],
    ['[::2]:9180', 403],
    ['localhost:9180:9180', 403],
    ['[localhost', 403],
  ])('of "%s": %i', async (host, status) => {
    const { status: seen, body } = await ask(where, '/page', { headers: { host } })
    expect(seen).toBe(status)
    if (status === 403)
      expect(body).toMatch(/^The Host header names .*--admin-token-file, or --admin-open\.\n$/)
  })

  it('may be missing: then it is no browser', async () => {
    const { socket, closed } = open()
    socket.write('GET /page HTTP/1.0\r\n\r\n')
    expect(await closed).toMatch(/^HTTP\/1\.1 200 /)
  })
})

describe('somebody who', () => {
  it.each([
    ['speaks no HTTP', 'hello\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['speaks TLS', Buffer.from('16030100c8010000c40303', 'hex'), /^HTTP\/1\.1 400 /],
    [
      'sends two lengths',
      'GET /page HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      /^HTTP\/1\.1 400 /,
    ],
    ['sends zeros', Buffer.alloc(100_000), /^HTTP\/1\.1 400 /],
    ['asks for a proxy', 'CONNECT other:443 HTTP/1.1\r\nHost: other\r\n\r\n', /^$|^HTTP\/1\.1 4/],
  ])('%s is sent away', async (_, bytes, answered) => {
    const { socket, closed } = open()
    socket.write(bytes)
    expect(await closed).toMatch(answered)
    expect(await ask(where, '/page')).toMatchObject({ status: 200 })
  })

  it('asks to switch protocols is answered in this one', async () => {
    const { socket, closed } = open()
    socket.write('GET /page HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n')
    await eventually('there is an answer', () => socket.bytesRead > 0)
    socket.end()
    expect(await closed).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('sends a byte now and then is sent away after seconds', async () => {
    const { socket, closed } = open()
    const bytes = 'GET /page HTTP/1.1\r\nX-Slow: '
    socket.write(bytes)
    const drip = setInterval(() => socket.write('x'), 50)
    try {
      expect(await closed).toMatch(/^HTTP\/1\.1 408 |^$/)
    } finally {
      clearInterval(drip)
    }
  })

  it('says nothing is sent away, too', async () => {
    const { closed } = open()
    expect(await closed).toMatch(/^HTTP\/1\.1 408 |^$/)
  })

  it('opens 100 connections gets 32 of them, and others are served again when they are gone', async () => {
    const many = Array.from({ length: 100 }, open)
    let ended = 0
    for (const { closed } of many) void closed.then(() => (ended += 1))
    await eventually('the others are closed', () => ended >= 68)
    const kept = await new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)))
    expect(kept).toBeLessThanOrEqual(32)
    await eventually('all others are sent away', () => ended === 100)
    expect(await ask(where, '/page')).toMatchObject({ status: 200 })
  })

  it('reads no answer is sent away', async () => {
    server.close()
    await serve({ '/page': () => json(200, 'x'.repeat(50_000_000)) })
    const { socket } = open()
    socket.pause()
    socket.write('GET /page HTTP/1.1\r\nHost: a\r\n\r\n')
    const count = () => new Promise<number>((resolve) => server.getConnections((_, all) => resolve(all)))
    await eventually('it is connected', async () => (await count()) === 1)
    await eventually('it is not any more', async () => (await count()) === 0)
  })
})
