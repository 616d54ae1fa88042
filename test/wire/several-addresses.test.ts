import dns from 'node:dns'
import { Socket } from 'node:net'
import { afterEach, expect, it, vi } from 'vitest'
import { parseBrokerUrl } from '../../src/amqp/broker-url.ts'
import { openConnection } from '../../src/amqp/connection.ts'
import { connectPool } from '../../src/fastcgi/socket.ts'
import { type DeafListener, deafListener } from '../support/deaf-listener.ts'

/*
 * A host name with two addresses. The first answers, but not within the 250 ms after which Node.js goes on to the next one; on the
 * second nobody listens.
 */

const SLOW = 500

let listener: DeafListener | undefined
afterEach(() => {
  vi.restoreAllMocks()
  listener?.close()
})

async function slowHost(): Promise<number> {
  listener = await deafListener('tcp')
  const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }))
  type All = (error: null, addresses: dns.LookupAddress[]) => void
  vi.spyOn(dns, 'lookup').mockImplementation(((_: string, __: object, found: All) =>
    setImmediate(found, null, addresses)) as unknown as typeof dns.lookup)
  setTimeout(() => listener?.wake(), SLOW)
  return (listener.address as { port: number }).port
}

it('a broker there is connected to', async () => {
  const port = await slowHost()
  // The listener hangs up on whoever has reached it.
  await expect(openConnection(parseBrokerUrl(`amqp://two.example:${port}`), 'D-1')).rejects.toThrow(
    /Socket closed abruptly|ECONNRESET/,
  )
})

it('a pool there is connected to', async () => {
  const port = await slowHost()
  // At the second address nobody listens: that would fail.
  const socket = await connectPool({ kind: 'tcp', host: 'two.example', port }, 10_000)
  expect(socket).toBeInstanceOf(Socket)
  socket.destroy()
})
