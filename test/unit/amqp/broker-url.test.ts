import { describe, expect, it } from 'vitest'
import { type BrokerUrl, formatBrokerUrl, parseBrokerUrl } from '../../../src/amqp/broker-url.ts'

const DEFAULTS: BrokerUrl = {
  tls: undefined,
  hostname: 'host',
  port: 5672,
  vhost: '/',
  sasl: { mechanism: 'PLAIN', username: 'guest', password: 'guest' },
  heartbeat: 10,
  frameMax: 131_072,
}

const plain = (username: string, password: string) => ({
  sasl: { mechanism: 'PLAIN', username, password } as const,
})
const VERIFIED = { ca: 'a CA', insecure: false }
const CERTIFIED = { cert: 'a certificate', key: 'its key', insecure: false }

describe('a broker URL', () => {
  it.each<[string, Partial<BrokerUrl>]>([
    ['amqp://host', {}],
    ['amqp://host/', {}],
    ['AMQP://host', {}],
    ['amqp://host:1', { port: 1 }],
    ['amqp://host:65535', { port: 65_535 }],
    ['amqp://alice:secret@host', plain('alice', 'secret')],
    ['amqp://alice@host', plain('alice', '')],
    ['amqp://alice:@host', plain('alice', '')],
    ['amqp://a%40b:p%2Fw%3A%23%25@host', plain('a@b', 'p/w:#%')],
    ['amqp://a:p@ss@host', plain('a', 'p@ss')],
    ['amqp://ü:ñ@host', plain('ü', 'ñ')],
    ['amqp://host/shop', { vhost: 'shop' }],
    ['amqp://host/%2F', { vhost: '/' }],
    ['amqp://host/a%2Fb%20c', { vhost: 'a/b c' }],
    ['amqp://host/%25', { vhost: '%' }],
    ['amqp://[::1]:5673/v', { hostname: '::1', port: 5673, vhost: 'v' }],
    ['amqp://host?heartbeat=0', { heartbeat: 0 }],
    ['amqp://host?heartbeat=65535', { heartbeat: 65_535 }],
    ['amqp://host/?frame_max=65536&heartbeat=5', { frameMax: 65_536, heartbeat: 5 }],
  ])('%s', (text, expected) => {
    expect(parseBrokerUrl(text)).toEqual({ ...DEFAULTS, ...expected })
  })

  it('of amqps: has the TLS options and a port of its own', () => {
    expect(parseBrokerUrl('amqps://host', VERIFIED)).toEqual({ ...DEFAULTS, tls: VERIFIED, port: 5671 })
    expect(parseBrokerUrl('AMQPS://host:5672', CERTIFIED)).toMatchObject({ tls: CERTIFIED, port: 5672 })
    expect(parseBrokerUrl('amqps://host').tls).toEqual({ insecure: false })
  })

  it.each([
    ['amqps://host', CERTIFIED, { mechanism: 'EXTERNAL' }],
    ['amqps://host/v?heartbeat=5', CERTIFIED, { mechanism: 'EXTERNAL' }],
    ['amqps://host', VERIFIED, plain('guest', 'guest').sasl],
    ['amqp://host', CERTIFIED, plain('guest', 'guest').sasl],
    ['amqps://guest:guest@host', CERTIFIED, plain('guest', 'guest').sasl],
    ['amqps://alice@host', CERTIFIED, plain('alice', '').sasl],
  ])('%s with %j logs in as %j', (text, tls, sasl) => {
    expect(parseBrokerUrl(text, tls).sasl).toEqual(sasl)
  })
})

describe('refused', () => {
  const LOOK = 'is not a URL; it must look like amqp://user:password@host:5672/vhost'

  const QUEUE = "and name the queue with --queue (Symfony's default is messages)"

  it.each([
    ['', LOOK],
    ['host', LOOK],
    ['amqp://', 'names no host'],
    ['amqp:///vhost', 'names no host'],
    ['amqp:host', 'names no host'],
    ['amqp://host:65536', LOOK],
    ['amqp://host:abc', LOOK],
    ['amqp://host:-1', LOOK],
    ['amqp://ho st', LOOK],
    ['http://host', 'must begin with amqp:// or amqps://'],
    ['amqpss://host', 'must begin with amqp:// or amqps://'],
    ['amqp://u:p#w@host', LOOK],
    ['amqp://host/v#w', 'has a # in it; in a password it is written %23'],
    ['amqp://host/a/b', 'names a vhost with a slash in it, which must be written %2F'],
    ['amqp://host//', 'names a vhost with a slash in it, which must be written %2F'],
    ['amqp://u:p@host:5672/%2f/messages', `is a DSN of Symfony Messenger: end it after /%2f, ${QUEUE}`],
    ['amqp://host/%2F/orders?auto_setup=false', `is a DSN of Symfony Messenger: end it after /%2F, ${QUEUE}`],
    ['amqp://host?auto_setup=false', `has the parameters of a Symfony DSN: end it before the ?, ${QUEUE}`],
    [
      'amqp://host/%2f?heartbeat=5&queues[orders][binding_keys]=a',
      `has the parameters of a Symfony DSN: end it before the ?, ${QUEUE}`,
    ],
    ['amqp://host/%2f/', 'names a vhost with a slash in it, which must be written %2F'],
    ['amqp://host/%zz', 'has a malformed % escape in its vhost'],
    ['amqp://u%:p@host', 'has a malformed % escape in its user name'],
    ['amqp://u:p%@host', 'has a malformed % escape in its password'],
    ['amqp://u:%ff@host', 'has a malformed % escape in its password'],
    ['amqp://host?heartbeat=abc', 'has a heartbeat that is no integer from 0 to 65535'],
    ['amqp://host?heartbeat=-5', 'has a heartbeat that is no integer from 0 to 65535'],
    ['amqp://host?heartbeat=', 'has a heartbeat that is no integer from 0 to 65535'],
    ['amqp://host?heartbeat=1e3', 'has a heartbeat that is no integer from 0 to 65535'],
    ['amqp://host?heartbeat=10s', 'has a heartbeat that is no integer from 0 to 65535'],
    ['amqp://host?heartbeat=65536', 'has a heartbeat that is no integer from 0 to 65535'],
    ['amqp://host?frame_max=65535', 'has a frame_max that is no integer from 65536 to 16777216'],
    ['amqp://host?frame_max=0', 'has a frame_max that is no integer from 65536 to 16777216'],
    ['amqp://host?heartbeat=5&heartbeat=6', 'gives heartbeat twice'],
    ['amqp://host?Heartbeat=5', 'has an unknown query parameter; known are heartbeat and frame_max'],
    ['amqp://host?channel_max=5', 'has an unknown query parameter; known are heartbeat and frame_max'],
    ['amqp://host?constructor=1', 'has an unknown query parameter; known are heartbeat and frame_max'],
    ['amqp://host?__proto__=1', 'has an unknown query parameter; known are heartbeat and frame_max'],
  ])('%s', (text, complaint) => {
    expect(() => parseBrokerUrl(text)).toThrow(new Error(complaint))
  })

  it.each([
    ['port 0, which nobody listens on', 'amqp://host:0'],
    ['a vhost that the URL parser would take for a path step', 'amqp://host/%2E%2E'],
    ['a vhost longer than AMQP can say', `amqp://host/${'v'.repeat(256)}`],
    ['a NUL in the user name, which ends it on the wire', 'amqp://a%00b:p@host'],
    ['a password whose slash was not escaped, and so became a vhost', 'amqp://alice:12/34@host'],
  ])('%s', (_, text) => {
    expect(() => parseBrokerUrl(text)).toThrow()
  })
})

describe('no complaint repeats a part of the URL', () => {
  it.each([
    'amqp://alice:hunter2@ho st',
    'amqp://alice:hunter2@host:99999',
    'http://alice:hunter2@host',
    'amqp://alice:hunter2@',
    'alice:hunter2@host',
    'amqp://alice:hunter2%@host',
    'amqp://alice:hunter2@host/a/b',
    'amqp://alice:hunter2@host#x',
    'amqp://alice:hunter2#x@host',
    'amqp://alice:hunter2/x@host',
    'amqp://alice:hunter2?x@host',
    'amqp://host?password=hunter2',
    'amqp://host?hunter2=1',
    'amqp://host?heartbeat=hunter2',
    'hunter2',
  ])('%s', (text) => {
    let message = ''
    try {
      parseBrokerUrl(text)
    } catch (error) {
      message = (error as Error).message
    }
    expect(message).not.toBe('')
    expect(message).not.toContain('hunter2')
  })
})

describe('the loggable form', () => {
  it.each([
    ['amqp://alice:secret@host:5673/shop', 'amqp://alice@host:5673/shop'],
    ['amqp://host', 'amqp://guest@host:5672/'],
    ['amqp://a%40b:x@[::1]/a%2Fb', 'amqp://a%40b@[::1]:5672/a%2Fb'],
    ['amqp://host?heartbeat=5', 'amqp://guest@host:5672/'],
    ['amqps://alice:secret@host', 'amqps://alice@host:5671/'],
  ])('of %s', (text, expected) => {
    expect(formatBrokerUrl(parseBrokerUrl(text))).toBe(expected)
  })

  it('names nobody where the client certificate does', () => {
    expect(formatBrokerUrl(parseBrokerUrl('amqps://host/v', CERTIFIED))).toBe('amqps://host:5671/v')
  })

  it('has no line break, whatever the names', () => {
    const url = parseBrokerUrl('amqp://a%0Ab:x@host/v%0Aw')
    expect(formatBrokerUrl(url)).toBe('amqp://a%0Ab@host:5672/v%0Aw')
  })
})
