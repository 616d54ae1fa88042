import { type AddressInfo, createServer, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { BrokerError } from '../../src/amqp/broker-error.ts'
import { parseBrokerUrl, type Sasl } from '../../src/amqp/broker-url.ts'
import { closeConnection, openConnection } from '../../src/amqp/connection.ts'
import { method } from '../support/amqp-frames.ts'
import { connectionClose, listenAmqp, start } from '../support/scripted-broker.ts'
import { brokerThat } from './after-test.ts'

/* Opening connections to peers that are no good brokers. */

async function failureOf(pending: Promise<unknown>): Promise<BrokerError> {
  const error: unknown = await pending.catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(BrokerError)
  return error as BrokerError
}

describe('opening a connection', () => {
  it('to a broker', async () => {
    const { url } = await brokerThat()
    const connection = await openConnection(url, 'D-1')
    await closeConnection(connection)
  })

  it('to a port where nobody listens', async () => {
    const broker = await listenAmqp()
    await broker.close()
    const error = await failureOf(openConnection(broker.url, 'D-1'))
    expect([error.code, error.permanent]).toEqual(['UNREACHABLE', false])
    expect(error.message).toBe(
      `cannot connect to amqp://alice@127.0.0.1:${broker.url.port}/shop: connect ECONNREFUSED 127.0.0.1:${broker.url.port}; is RabbitMQ running, and is this its port?`,
    )
  })

  it.each<[string, (socket: Socket) => void]>([
    ['closes at once', (socket) => void socket.end()],
    ['closes after the greeting', (socket) => void socket.once('data', () => socket.end())],
    ['resets at once', (socket) => void socket.resetAndDestroy()],
    ['resets after the greeting', (socket) => void socket.once('data', () => socket.resetAndDestroy())],
    [
      'speaks HTTP and closes',
      (socket) => void socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'),
    ],
    [
      'speaks HTTP and waits',
      (socket) => void socket.write('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'),
    ],
    ['speaks another AMQP', (socket) => void socket.end('AMQP\0\x01\0\0')],
    ['sends garbage', (socket) => void socket.end(Buffer.alloc(1_000, 0xff))],
    ['stops in the middle of a frame', (socket) => void socket.end(method(0, [10, 10]).subarray(0, 9))],
  ])('to a peer that %s', async (_, onConnect) => {
    const broker = await brokerThat({}, onConnect)
    const error = await failureOf(openConnection(broker.url, 'D-1'))
    expect([error.code, error.permanent]).toEqual(['UNREACHABLE', false])
    expect(error.message).not.toContain('hunter2')
    expect(error.message).not.toContain('\n')
  })

  it('with a wrong password', async () => {
    const refusal = connectionClose(403, 'ACCESS_REFUSED - Login was refused')
    const { url } = await brokerThat({ 'connection.start-ok': () => refusal })
    const error = await failureOf(openConnection(url, 'D-1'))
    expect([error.code, error.permanent]).toEqual(['LOGIN_REFUSED', true])
    expect(error.message).not.toContain('hunter2')
  })

  it.each<[Sasl, RegExp]>([
    [
      { mechanism: 'EXTERNAL' },
      /does not offer SASL EXTERNAL; enable it there \(plugin rabbitmq_auth_mechanism_ssl\)/,
    ],
    [
      { mechanism: 'PLAIN', username: 'alice', password: 'hunter2' },
      /does not offer SASL PLAIN; .*--tls-cert/,
    ],
  ])('to a broker that does not offer %j', async (sasl, says) => {
    const { url } = await brokerThat({}, (socket) => socket.once('data', () => socket.write(start('OTHER'))))
    const error = await failureOf(openConnection({ ...url, sasl }, 'D-1'))
    expect([error.code, error.permanent]).toEqual(['LOGIN_REFUSED', true])
    expect(error.message).toMatch(says)
    expect(error.message).not.toContain('hunter2')
  })

  it.each([
    [530, 'NOT_ALLOWED - vhost shop not found', 'VHOST_REFUSED'],
    [
      530,
      "NOT_ALLOWED - access to vhost 'shop' refused for user 'alice': connection limit (1) is reached",
      'UNREACHABLE',
    ],
    [320, 'CONNECTION_FORCED - broker forced connection closure', 'UNREACHABLE'],
    [
      403,
      'ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile.',
      'LOGIN_REFUSED',
    ],
  ])('that is closed in place of being opened says why: %d %s', async (replyCode, text, code) => {
    const { url } = await brokerThat({ 'connection.open': () => connectionClose(replyCode, text) })
    const error = await failureOf(openConnection(url, 'D-1'))
    expect(error.code).toBe(code)
    if (code !== 'LOGIN_REFUSED') expect(error.message).toContain(`/shop opens no connection: ${text}`)
  })

  it.each([
    ['says nothing', undefined],
    ['says a byte now and then, of a frame that never ends', Buffer.from([1])],
  ])('to a peer that %s: given up in time, and hung up on', async (_, byte) => {
    let closed: () => void = () => {}
    const hungUp = new Promise<void>((resolve) => {
      closed = resolve
    })
    const peer = createServer((socket) => {
      const timer = setInterval(() => byte && socket.write(byte), 20)
      socket
        .on('error', () => {})
        .on('close', () => clearInterval(timer))
        .on('close', closed)
        .resume()
    })
    await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve))
    const { port } = peer.address() as AddressInfo
    const error = await failureOf(openConnection(parseBrokerUrl(`amqp://127.0.0.1:${port}`), 'D-1', 200))
    await hungUp
    peer.close()
    expect([error.code, error.message]).toEqual(['UNREACHABLE', expect.stringContaining('200 ms')])
  })
})
