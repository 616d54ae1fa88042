import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions as ServerOptions } from 'node:tls'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { BrokerError } from '../../src/amqp/broker-error.ts'
import { parseBrokerUrl } from '../../src/amqp/broker-url.ts'
import { openConnection } from '../../src/amqp/connection.ts'
import type { TlsOptions } from '../../src/amqp/tls.ts'
import { type Certificate, createAuthority } from '../support/certificates.ts'
import { removeFolder, temporaryFolder } from '../support/run-folder.ts'

/*
 * Handshakes that fail, and what an operator reads about it. The peers are OpenSSL's half of TLS, which RabbitMQ's
 * (Erlang's) agrees with: see test/integration/tls.test.ts.
 */

const folder = temporaryFolder('tls')
const own = createAuthority(folder, 'own')
const foreign = createAuthority(folder, 'foreign')
const read = ({ cert, key }: Certificate) => ({
  cert: readFileSync(cert, 'utf8'),
  key: readFileSync(key, 'utf8'),
})
const localhost = { subjectAltName: 'DNS:localhost,IP:127.0.0.1' }
const good = read(own.issue('good', localhost))
const expired = read(own.issue('expired', { ...localhost, notAfter: '20010101000000Z' }))
const early = read(own.issue('early', { ...localhost, notBefore: '20980101000000Z' }))
const elsewhere = read(own.issue('elsewhere', { subjectAltName: 'DNS:elsewhere.example' }))
const stranger = read(foreign.issue('stranger', localhost))
const ca = readFileSync(own.cert, 'utf8')

const servers: Server[] = []
const sockets = new Set<Socket>()
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve))
})
afterAll(() => removeFolder(folder))

async function listen(server: Server): Promise<number> {
  servers.push(server)
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}

const listenTls = (options: ServerOptions) =>
  listen(createTlsServer(options, (socket) => socket.on('error', () => {})))

async function failureOf(port: number, tls: Partial<TlsOptions>, scheme = 'amqps'): Promise<BrokerError> {
  const url = parseBrokerUrl(`${scheme}://alice:hunter2@127.0.0.1:${port}`, { insecure: false, ...tls })
  const error: unknown = await openConnection(url, 'D-1', 1_000).catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(BrokerError)
  const { message } = error as BrokerError
  expect(message).toContain(`${scheme}://alice@127.0.0.1:${port}/`)
  expect(message).not.toMatch(/\n|hunter2|openssl/)
  return error as BrokerError
}

describe("a broker's certificate", () => {
  it.each<[string, Certificate, Partial<TlsOptions>, RegExp]>([
    [
      'from a CA that nobody named',
      good,
      {},
      /from no CA that is trusted.* --tls-ca \(SELF_SIGNED|from no CA .*\(UNABLE_TO/,
    ],
    ['from another CA', stranger, { ca }, /from no CA that is trusted/],
    ['for another host', elsewhere, { ca }, /is for another host.*\(ERR_TLS_CERT_ALTNAME_INVALID\)/],
    ['that has expired', expired, { ca }, /has expired; renew it/],
    ['that is not valid yet', early, { ca }, /is not valid yet/],
  ])('%s is refused', async (_, certificate, tls, says) => {
    const error = await failureOf(await listenTls(certificate), tls)
    expect([error.code, error.permanent]).toEqual(['TLS_REFUSED', true])
    expect(error.message).toMatch(says)
  })
})

// With a certificate that it does not like, Node.js' server ends the connection without the alert that brokers send.
it.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'a broker that wants a client certificate, by %s',
  async (version) => {
    const strict = { ...good, ca, requestCert: true, minVersion: version, maxVersion: version }
    const error = await failureOf(await listenTls(strict), { ca })
    expect([error.code, error.permanent]).toEqual(['TLS_REFUSED', true])
    expect(error.message).toMatch(/wants? a client certificate.*--tls-cert/)
  },
)

describe('TLS with a peer', () => {
  it.each<[string, string]>([
    ['that is a broker without TLS', 'AMQP\0\0\x09\x01'],
    ['that speaks HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
  ])('%s fails for good', async (_, answer) => {
    const port = await listen(createServer((socket) => socket.once('data', () => socket.end(answer))))
    const error = await failureOf(port, { ca })
    expect([error.code, error.permanent]).toEqual(['TLS_REFUSED', true])
    expect(error.message).toMatch(/no TLS is spoken on that port/)
  })

  it.each<[string, (socket: Socket) => void]>([
    ['that closes at once', (socket) => void socket.end()],
    ['that resets', (socket) => void socket.once('data', () => socket.resetAndDestroy())],
    ['that never answers', () => {}],
  ])('%s may work later', async (_, onConnect) => {
    const error = await failureOf(await listen(createServer(onConnect)), { ca })
    expect([error.code, error.permanent]).toEqual(['UNREACHABLE', false])
  })
})

it.each<[string, (socket: Socket) => void]>([
  ['closes', (socket) => void socket.end()],
  ['resets', (socket) => void socket.resetAndDestroy()],
])(
  'a TLS port that %s a plain connection may be a broker that is just going: waited for, with a hint',
  async (_, end) => {
    const port = await listen(createServer((socket) => socket.once('data', () => end(socket))))
    const error = await failureOf(port, {}, 'amqp')
    expect([error.code, error.permanent]).toEqual(['UNREACHABLE', false])
    expect(error.message).toMatch(/; if that port speaks TLS, --url must begin with amqps:\/\/$/)
  },
)
