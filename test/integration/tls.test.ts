import { afterAll, beforeAll, expect } from 'vitest'
import { nestedFields } from '../support/amqp-frames.ts'
import { runBridge } from '../support/bridge-process.ts'
import { type OwnBroker, startBroker } from '../support/broker.ts'
import type { Broker } from '../support/broker-api.ts'
import { type Certificate, createAuthority } from '../support/certificates.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { numbers, publishAll, takeAll } from '../support/messages.ts'
import { publishRaw, withHeaders } from '../support/raw-publisher.ts'
import { removeFolder, temporaryFolder } from '../support/run-folder.ts'

const folder = temporaryFolder('tls')
const own = createAuthority(folder, 'own')
const foreign = createAuthority(folder, 'foreign')
const client = own.issue('tls-client')
const ca = ['--tls-ca', own.cert]
const certificate = ({ cert, key }: Certificate) => ['--tls-cert', cert, '--tls-key', key]

/** Its certificate is for `localhost`, and it takes clients with and without one. */
let broker: OwnBroker
/** Its certificate has expired, and it takes nobody without one. */
let strict: OwnBroker

beforeAll(async () => {
  const valid = own.issue('valid', { subjectAltName: 'DNS:localhost' })
  const expired = own.issue('expired', { subjectAltName: 'DNS:localhost', notAfter: '20010101000000Z' })
  ;[broker, strict] = await Promise.all([
    startBroker({ tls: { ...valid, ca: own.cert } }),
    startBroker({ tls: { ...expired, ca: own.cert, clientCertificate: true } }),
  ])
  await broker.api('PUT', '/users/tls-client', { password: '', tags: '' })
  const everything = { configure: '.*', write: '.*', read: '.*' }
  await broker.api('PUT', '/permissions/%2F/tls-client', everything)
})
afterAll(async () => {
  await Promise.all([broker?.close(), strict?.close()])
  removeFolder(folder)
})

const urlOf = ({ tlsPort }: OwnBroker, user = 'guest:guest@', host = 'localhost') =>
  `amqps://${user}${host}:${tlsPort}`

test('with its CA: messages are consumed, dead-lettered and published by TLS', async ({
  queue,
  startDaemon,
}) => {
  const url = urlOf(broker)
  const published = await runBridge(['publish', '--url', url, ...ca, '-q', queue, '{"number":1}'])
  expect(published).toMatchObject({ code: 0, log: [], stdout: [`1 published to "${queue}"`] })
  await publishAll(broker, queue, ['not JSON'])

  const daemon = await startDaemon({ url, args: ca })
  const consuming = await daemon.waitForLine('Consuming.')
  expect(consuming['broker']).toBe(`amqps://guest@localhost:${broker.tlsPort}/`)
  await daemon.waitForLine('Executed.')
  await daemon.waitForLine('Dead-lettered.')
  expect(await takeAll(broker, `${queue}.dead`)).toHaveLength(1)
  expect(daemon.log.filter(({ level }) => level === 'error')).toEqual([])
  daemon.signal('SIGTERM')
  expect(await daemon.exited).toMatchObject({ code: 0 })
})

test('what amqplib cannot decode is found by TLS, too', async ({ queue, startDaemon }) => {
  await publishAll(broker, queue, [])
  await publishRaw(broker, queue, withHeaders(nestedFields(5_000), 'M-1'))
  await publishAll(broker, queue, numbers(100))
  const daemon = await startDaemon({ url: urlOf(broker), args: ca })
  await daemon.waitForLine('Dead-lettered.')
  const executed = () => daemon.log.filter(({ message }) => message === 'Executed.').length
  await eventually('the others are executed', () => executed() === 100)
  expect(daemon.log.filter(({ message }) => message === 'Consuming.')).toHaveLength(1)
})

test('without a user in the URL, the client certificate logs in (SASL EXTERNAL)', async ({
  queue,
  startDaemon,
}) => {
  const id = `D-${queue}`
  const daemon = await startDaemon({
    url: urlOf(broker, ''),
    args: [...ca, ...certificate(client), '--daemon-id', id],
  })
  const consuming = await daemon.waitForLine('Consuming.')
  expect(consuming['broker']).toBe(`amqps://localhost:${broker.tlsPort}/`)
  const connection = await connectionOf(broker, id)
  expect(connection).toMatchObject({ user: 'tls-client', auth_mechanism: 'EXTERNAL', ssl: true })
})

test('with a user in the URL, that user logs in, whoever the certificate is', async ({
  queue,
  startDaemon,
}) => {
  const id = `D-${queue}`
  await startDaemon({ url: urlOf(broker), args: [...ca, ...certificate(client), '--daemon-id', id] })
  expect(await connectionOf(broker, id)).toMatchObject({ user: 'guest', auth_mechanism: 'PLAIN', ssl: true })
})

test('--tls-insecure takes any certificate, and says so at each start', async ({ queue, startDaemon }) => {
  const args = [...certificate(client), '--tls-insecure']
  const daemon = await startDaemon({ url: urlOf(strict, undefined, '127.0.0.1'), args })
  await publishAll(strict, queue, numbers(1))
  await daemon.waitForLine('Executed.')
  const warnings = daemon.log.filter(({ level }) => level === 'warn')
  expect(warnings.map(({ message }) => message)).toEqual([expect.stringContaining('--tls-insecure')])

  const target = ['publish', '--url', urlOf(strict), ...args, '-q', queue]
  const { code, log } = await runBridge([...target, '{}'])
  expect({ code, log }).toEqual({ code: 0, log: [{ message: expect.stringContaining('--tls-insecure') }] })
})

const REFUSED: readonly [what: string, url: () => string, args: readonly string[], says: RegExp][] = [
  ['no CA', () => urlOf(broker), [], /from no CA that is trusted.*--tls-ca/],
  ['another CA', () => urlOf(broker), ['--tls-ca', foreign.cert], /from no CA that is trusted.*--tls-ca/],
  ['another host name', () => urlOf(broker, undefined, '127.0.0.1'), ca, /certificate is for another host/],
  ['an expired certificate', () => urlOf(strict), ca, /certificate has expired/],
  [
    'no client certificate',
    () => urlOf(strict),
    ['--tls-insecure'],
    /wants a client certificate.*--tls-cert/,
  ],
  [
    'a client certificate of another CA',
    () => urlOf(broker),
    [...ca, ...certificate(foreign.issue('tls-client'))],
    /does not accept the client certificate/,
  ],
  [
    'a client certificate that has expired',
    () => urlOf(broker),
    [...ca, ...certificate(own.issue('late', { notAfter: '20010101000000Z' }))],
    /does not accept the client certificate/,
  ],
  [
    'a client certificate of nobody',
    () => urlOf(broker, ''),
    [...ca, ...certificate(own.issue('nobody'))],
    /refuses the user of the client certificate.*ssl_cert_login_from/,
  ],
  [
    'the port that is not for TLS',
    () => `amqps://localhost:${broker.port}`,
    ca,
    /no TLS is spoken on that port/,
  ],
]

test.for(REFUSED)(
  '%s: one line with the remedy, exit 78',
  async ([, url, args, says], { queue, startDaemon }) => {
    const daemon = await startDaemon({ url: url(), args })
    expect(await daemon.exited).toMatchObject({ code: 78 })
    const errors = daemon.log.filter(({ level }) => level === 'error')
    expect(errors).toEqual([expect.objectContaining({ reason: expect.stringMatching(says) })])

    const published = await runBridge(['publish', '--url', url(), ...args, '-q', queue, '{}'])
    expect(published).toMatchObject({ code: 78, stdout: [] })
    expect(published.log.at(-1)?.message).toMatch(says)
  },
)

test('NODE_TLS_REJECT_UNAUTHORIZED in the environment does not switch verification off', async ({
  startDaemon,
}) => {
  const environment = { NODE_TLS_REJECT_UNAUTHORIZED: '0' }
  const daemon = await startDaemon({ url: urlOf(broker), args: ['--tls-ca', foreign.cert], environment })
  expect(await daemon.exited).toMatchObject({ code: 78 })
  expect(daemon.log.at(-1)).toMatchObject({ code: 'TLS_REFUSED' })
})

test('amqp:// to the TLS port: waited for, with a hint', async ({ startDaemon }) => {
  const daemon = await startDaemon({ url: `amqp://localhost:${broker.tlsPort}` })
  const { reason } = await daemon.waitForLine('Not consuming')
  expect(reason).toMatch(/if that port speaks TLS, --url must begin with amqps:\/\//)
  expect(daemon.exit).toBeUndefined()
})

/** What the broker says about the connection of that name, once it does. */
async function connectionOf({ api }: Broker, name: string) {
  type Listed = { client_properties: { connection_name?: string }; user: string }
  return eventually(`the broker lists the connection ${name}`, async () => {
    const connections = await api<Listed[]>('GET', '/connections')
    return connections.find(({ client_properties }) => client_properties.connection_name === name)
  })
}
