import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { PoolAddress } from '../../../src/fastcgi/address.ts'
import { connectReading } from '../../../src/fastcgi/socket.ts'

it.each(['unix', 'tcp'] as const)('reads what was said before its peer was gone (%s)', async (kind) => {
  const folder = mkdtempSync(join(tmpdir(), 'fpm-bridge-reading-'))
  const path = join(folder, 'a.sock')
  const server = createServer()
  server.listen(kind === 'unix' ? { path } : { host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const address: PoolAddress =
    kind === 'unix'
      ? { kind, path }
      : { kind, host: '127.0.0.1', port: (server.address() as AddressInfo).port }
  const socket = await connectReading(address, 5_000)
  let read = ''
  socket.on('data', (piece: Buffer) => {
    read += piece.toString()
  })
  const ended = new Promise((resolve) => socket.once('end', resolve).once('error', resolve))
  const [peer] = await accepted
  // All in one turn: it has closed, and what it has said is not read, when something is written to it.
  peer.write('an answer')
  if (kind === 'tcp') peer.resetAndDestroy()
  else peer.destroy()
  socket.write('a message')
  await ended
  expect(read).toBe('an answer')
  expect(socket.peerGone).toBe(true)
  socket.destroy()
  server.close()
  rmSync(folder, { recursive: true })
})
