import { afterAll, beforeAll, describe, expect, inject } from 'vitest'
import { createAuthority } from '../support/certificates.ts'
import { startFaultProxy } from '../support/fault-proxy.ts'
import { test } from '../support/fixtures.ts'
import { look } from '../support/looks.ts'
import { freePorts } from '../support/ports.ts'
import { removeFolder, temporaryFolder } from '../support/run-folder.ts'
import { startTlsProxy, type TlsProxy } from '../support/tls-proxy.ts'

/*
 * Ways in which a broker can be wrong: each is found, with the remedy, which is applied, and then that point has passed.
 */

test('nobody listens: start RabbitMQ', async ({ broker }) => {
  const [port = 0] = await freePorts(1)
  const url = `amqp://guest:guest@127.0.0.1:${port}`
  const found = (await look({ url })).one('broker.connect')
  expect(found).toMatchObject({ status: 'failed', fault: 'unavailable' })
  expect(found.text).toContain('ECONNREFUSED')
  expect(found.remedy).toContain('start RabbitMQ')
  const proxy = await startFaultProxy(port, broker.port)
  try {
    const { one } = await look({ url })
    expect(one('broker.connect').status).toBe('passed')
    expect(one('broker.connect').text).toMatch(/^RabbitMQ \d+\.\d+\.\d+ answers$/)
  } finally {
    await proxy.close()
  }
})

test('a wrong password: change it in --url', async ({ broker }) => {
  const found = (await look({ url: broker.url.replace('guest:guest', 'guest:wrong-one') })).one(
    'broker.login',
  )
  expect(found).toMatchObject({ status: 'failed', fault: 'configuration' })
  expect(found.remedy).toContain('change the user or the password in --url')
  expect(JSON.stringify(found)).not.toContain('wrong-one')
  expect((await look({ url: broker.url })).one('broker.login').status).toBe('passed')
})

test('a vhost that is not there: add it, and the right to it', async ({ broker, queue }) => {
  const url = `${broker.url}/${queue}`
  const found = (await look({ url })).one('broker.vhost')
  expect(found).toMatchObject({ status: 'failed', fault: 'configuration' })
  expect(found.remedy).toBe('change the vhost in --url, or add it')
  await broker.api('PUT', `/vhosts/${queue}`, {})
  try {
    await broker.api('DELETE', `/permissions/${queue}/guest`)
    const forbidden = (await look({ url })).one('broker.vhost')
    expect(forbidden).toMatchObject({ status: 'failed', fault: 'configuration' })
    expect(forbidden.remedy).toContain('give the user rights there (rabbitmqctl set_permissions)')
    await broker.api('PUT', `/permissions/${queue}/guest`, { configure: '.*', write: '.*', read: '.*' })
    expect((await look({ url })).one('broker.vhost').status).toBe('passed')
  } finally {
    await broker.api('DELETE', `/vhosts/${queue}`)
  }
})

test('a broker of several that cannot be used is a warning', async ({ broker }) => {
  const { one, at } = await look({ url: ['amqp://guest:guest@127.0.0.1:1', broker.url] })
  expect(one('broker.connect', 'amqp://guest@127.0.0.1:1/').status).toBe('warned')
  expect(at('broker.connect').map(({ status }) => status)).toEqual(['warned', 'passed'])
})

test('it has another time than we have: keep the time', async ({ broker, queue: vhost }) => {
  const right = (configure: string) =>
    broker.api('PUT', `/permissions/${vhost}/guest`, { configure, write: '.*', read: '.*' })
  await broker.api('PUT', `/vhosts/${vhost}`, {})
  try {
    await right('.*')
    const url = `${broker.url}/${vhost}`
    expect((await look({ url })).one('clocks.broker').status).toBe('unknown')
    const found = (await look({ url }, { probe: true, clock: -90_000 })).one('clocks.broker')
    expect([found.status, found.text]).toEqual([
      'warned',
      expect.stringMatching(/^its clock is (89|9[01]) s ahead/),
    ])
    expect(found.remedy).toContain('timedatectl set-ntp true')
    expect((await look({ url }, { probe: true })).one('clocks.broker').status).toBe('passed')
    // Its two queues have gone; and who may have none is told so.
    expect(await broker.queues(vhost)).toEqual([])
    await right('')
    const { status, text } = (await look({ url }, { probe: true })).one('clocks.broker')
    expect([status, text]).toEqual(['unknown', expect.stringContaining('no queues of its own')])
  } finally {
    await broker.api('DELETE', `/vhosts/${vhost}`)
  }
})

describe('TLS', () => {
  const folder = temporaryFolder('check-tls')
  const authority = createAuthority(folder, 'authority')
  const right = authority.issue('localhost', { subjectAltName: 'DNS:localhost,IP:127.0.0.1' })
  const other = authority.issue('elsewhere', { subjectAltName: 'DNS:elsewhere.example' })
  const soon = authority.issue('soon', {
    subjectAltName: 'IP:127.0.0.1',
    notAfter: `${new Date(Date.now() + 3.5 * 86_400_000).toISOString().replace(/[-:T]|\.\d+/g, '')}`,
  })
  let proxies: readonly TlsProxy[] = []
  beforeAll(async () => {
    const { port } = inject('broker')
    proxies = await Promise.all([right, other, soon].map((each) => startTlsProxy(each, port)))
  })
  afterAll(() => {
    for (const proxy of proxies) proxy.close()
    removeFolder(folder)
  })
  const at = (index: number) => `amqps://guest:guest@127.0.0.1:${proxies[index]?.port}`
  const ca = { 'tls-ca': authority.cert }

  test('is not spoken there: begin --url with amqp://', async ({ broker }) => {
    const found = (await look({ url: broker.url.replace('amqp:', 'amqps:') })).one('broker.tls')
    expect(found).toMatchObject({ status: 'failed', fault: 'configuration' })
    expect(found.remedy).toContain('or begin it with amqp://')
    expect((await look({ url: broker.url })).one('broker.tls').status).toBe('passed')
  })

  test('is spoken there, and --url says otherwise: begin it with amqps://', async () => {
    const found = (await look({ url: at(0).replace('amqps:', 'amqp:') })).one('broker.connect')
    expect(found).toMatchObject({ status: 'failed', fault: 'unavailable' })
    expect(found.remedy).toContain('--url must begin with amqps://')
    expect((await look({ url: at(0), ...ca })).one('broker.connect').status).toBe('passed')
  })

  test('with a certificate of an unknown CA: --tls-ca', async () => {
    const found = (await look({ url: at(0) })).one('broker.tls')
    expect(found).toMatchObject({ status: 'failed', fault: 'configuration' })
    expect(found.remedy).toContain('give the certificate of its CA with --tls-ca')
    const { status, text } = (await look({ url: at(0), ...ca })).one('broker.tls')
    expect([status, text]).toEqual(['passed', expect.stringContaining('encrypted and verified')])
  })

  test('with a certificate for another host: its name', async () => {
    const found = (await look({ url: at(1), ...ca })).one('broker.tls')
    expect(found).toMatchObject({ status: 'failed', fault: 'configuration' })
    expect(found.remedy).toContain('in --url use a name that the certificate has')
    expect((await look({ url: at(0), ...ca })).one('broker.tls').status).toBe('passed')
  })

  test('with a certificate that nobody looks at: leave --tls-insecure out', async () => {
    const found = (await look({ url: at(0), 'tls-insecure': 'true' })).one('broker.tls')
    expect(found.status).toBe('warned')
    expect(found.remedy).toContain('leave --tls-insecure out')
    expect((await look({ url: at(0), ...ca })).one('broker.tls').status).toBe('passed')
  })

  test('with a certificate that expires soon: renew it', async () => {
    const found = (await look({ url: at(2), ...ca })).one('broker.tls')
    expect([found.status, found.text]).toEqual(['warned', expect.stringContaining('expires in 3 days')])
    expect(found.remedy).toContain('renew it')
    expect((await look({ url: at(0), ...ca })).one('broker.tls').status).toBe('passed')
  })
})
