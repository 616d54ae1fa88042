import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { PoolAddress } from '../../src/fastcgi/address.ts'
import { FastCgiError } from '../../src/fastcgi/types.ts'
import { createLibraryClient } from '../../src/fastcgi-library.ts'
import { COMPLETE, closePools, exchange, LIMITS, poolThat, send } from './library-exchange.ts'
import { answering, endRequest, listen, record, type Script, TYPE, wholeRequest } from './scripted-pool.ts'

afterEach(closePools)

/** The error a request ends with. */
async function failureOf(pending: Promise<unknown>): Promise<FastCgiError> {
  const error: unknown = await pending.catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(FastCgiError)
  return error as FastCgiError
}

const EIGHT_MEBIBYTES = Buffer.alloc(8 * 1024 * 1024)

describe('no answer', () => {
  it.each<[string, Script]>([
    ['the connection closes', answering(Buffer.alloc(0))],
    ['the answer has no end', answering(COMPLETE.subarray(0, -16))],
    ['the answer stops in the middle of a record', answering(COMPLETE.subarray(0, 20))],
    ['garbage comes', answering(Buffer.from('\x00\xff garbage'))],
    ['HTTP comes', answering(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'))],
  ])('when %s: lost', async (_, script) => {
    let sent = 0
    const error = await failureOf(exchange(script, { onSent: () => (sent += 1) }))
    expect([error.code, error.phase, sent]).toEqual(['CONNECTION_LOST', 'receive', 1])
  })

  it('when the connection is reset: lost', async () => {
    const pool = await poolThat((socket, request) => {
      void wholeRequest(socket, request).then(() => socket.resetAndDestroy())
    }, 'tcp')
    const error = await failureOf(send(pool))
    expect([error.code, error.phase]).toEqual(['CONNECTION_LOST', 'receive'])
  })

  it('when the pool closes with the request unread, as one does that dies with a backlog: lost', async () => {
    let hangUp: () => void = () => {}
    const accepted = new Promise<void>((resolve) => {
      hangUp = resolve
    })
    const pool = await poolThat((socket) => {
      void accepted.then(() => socket.destroy())
    })
    const error = await failureOf(send(pool, { onSent: () => hangUp() }))
    expect([error.code, error.phase]).toEqual(['CONNECTION_LOST', 'receive'])
  })

  it.each([
    ['nothing but its end', endRequest()],
    ['stderr alone', Buffer.concat([record(TYPE.stderr, 'oops'), endRequest()])],
    ['no header block', Buffer.concat([record(TYPE.stdout, 'hello'), endRequest()])],
  ])('when there is %s: malformed', async (_, bytes) => {
    const error = await failureOf(exchange(answering(bytes)))
    expect([error.code, error.phase]).toEqual(['MALFORMED_ANSWER', 'receive'])
  })

  it.each([
    [1, 'CANT_MPX_CONN'],
    [2, 'OVERLOADED'],
    [3, 'UNKNOWN_ROLE'],
  ])('when protocolStatus is %d (%s): refused', async (status) => {
    const error = await failureOf(exchange(answering(endRequest(status))))
    expect([error.code, error.phase]).toEqual(['REQUEST_REFUSED', 'receive'])
  })

  it.each([
    ['a refusal', endRequest(2)],
    ['nonsense', endRequest()],
  ])(
    'when %s comes before the request was sent whole, the phase does not say that it was',
    async (_, bytes) => {
      let sent = 0
      const pool = await poolThat((socket) => {
        // Nothing of the upload is read, so most of it stays with the client. The pause lets it read the answer; when
        // the end of the connection comes first, the phase is the same.
        socket.write(bytes, () => setTimeout(() => socket.destroy(), 50))
      })
      const error = await failureOf(send(pool, { body: EIGHT_MEBIBYTES, onSent: () => (sent += 1) }))
      expect([error.phase, sent]).toEqual(['send', 0])
    },
  )
})

describe('no connection', () => {
  it('to a socket that is not there', async () => {
    const error = await failureOf(send({ address: { kind: 'unix', path: '/no/such/fpm.sock' } }))
    expect([error.code, error.phase, error.systemCode]).toEqual(['CONNECT_FAILED', 'connect', 'ENOENT'])
    expect(error.message).toBe(
      'cannot connect to /no/such/fpm.sock: ENOENT: there is no such socket; is php-fpm running, and is this the path of its `listen`?',
    )
  })

  it('to a socket that a crash left behind', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fpm-bridge-stale-'))
    const path = join(folder, 'fpm.sock')
    const crash = "() => process.kill(process.pid, 'SIGKILL')"
    spawnSync(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(path)}, ${crash})`,
    ])
    const error = await failureOf(send({ address: { kind: 'unix', path } }))
    expect([error.code, error.phase, error.systemCode]).toEqual(['CONNECT_FAILED', 'connect', 'ECONNREFUSED'])
    rmSync(folder, { recursive: true })
  })

  it('to a port where nobody listens', async () => {
    const pool = await listen(() => {}, 'tcp')
    await pool.close()
    const error = await failureOf(send(pool))
    expect([error.code, error.phase, error.systemCode]).toEqual(['CONNECT_FAILED', 'connect', 'ECONNREFUSED'])
  })

  it('to a socket that this user may not write to', async () => {
    const { address } = await poolThat(() => {})
    const user = process.geteuid?.() ?? 0
    chmodSync((address as { path: string }).path, 0)
    // To root everything is open.
    if (user === 0) process.seteuid?.(65_534)
    try {
      const error = await failureOf(send({ address }))
      expect([error.code, error.phase, error.systemCode]).toEqual(['CONNECT_FAILED', 'connect', 'EACCES'])
    } finally {
      if (user === 0) process.seteuid?.(0)
    }
  })

  it('says nothing about sending', async () => {
    let sent = 0
    const address: PoolAddress = { kind: 'unix', path: '/no/such/fpm.sock' }
    await failureOf(send({ address }, { onSent: () => (sent += 1) }))
    expect(sent).toBe(0)
  })
})

describe('a probe', () => {
  const probe = (address: PoolAddress) => createLibraryClient({ address, params: {}, ...LIMITS }).probe()

  it('connects and sends nothing', async () => {
    let received = 0
    let closed: () => void = () => {}
    const end = new Promise<void>((resolve) => {
      closed = resolve
    })
    const pool = await poolThat((socket) => {
      socket.on('data', (chunk) => (received += chunk.length))
      socket.on('close', () => closed())
    })
    await probe(pool.address)
    await end
    expect([pool.requests.length, received]).toEqual([1, 0])
  })

  it('fails as a request would', async () => {
    const error = await failureOf(probe({ kind: 'unix', path: '/no/such/fpm.sock' }))
    expect([error.code, error.phase, error.systemCode]).toEqual(['CONNECT_FAILED', 'connect', 'ENOENT'])
  })
})
