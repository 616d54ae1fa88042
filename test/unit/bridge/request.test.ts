import { describe, expect, it } from 'vitest'
import type { MessageProperties, Payload } from '../../../src/bridge/ports.ts'
import { staticParams } from '../../../src/bridge/request.ts'
import { UnprocessableError } from '../../../src/payload/unprocessable.ts'
import { config, RecordingDelivery } from '../../support/recording.ts'
import { prepareAtOnce } from './prepare-at-once.ts'

const EXECUTION_ID = '6f1c2a9e-0000-4000-8000-000000000001'

const prepare = (delivery: RecordingDelivery, payload: Payload = 'form') =>
  prepareAtOnce(delivery, { executionId: EXECUTION_ID, attempt: 3 }, { ...config, payload })

/** The params of, and what is left out of, a message with these properties. */
function prepared(properties: MessageProperties, payload: Payload = 'form') {
  const { request, leftOut } = prepare(new RecordingDelivery({ properties }), payload)
  return { params: request.params, leftOut }
}

describe('static params', () => {
  it('are those of a CGI request for the script, and name the daemon and its queue', () => {
    expect(staticParams(config, '1.2.3')).toEqual({
      GATEWAY_INTERFACE: 'CGI/1.1',
      SERVER_PROTOCOL: 'HTTP/1.1',
      SERVER_SOFTWARE: 'fpm-bridge/1.2.3',
      REQUEST_METHOD: 'POST',
      SCRIPT_FILENAME: '/srv/app/worker.php',
      SCRIPT_NAME: '/worker.php',
      DOCUMENT_URI: '/worker.php',
      DOCUMENT_ROOT: '/srv/app',
      REMOTE_ADDR: '127.0.0.1',
      REMOTE_PORT: '0',
      SERVER_ADDR: '127.0.0.1',
      SERVER_PORT: '0',
      SERVER_NAME: 'fpm-bridge',
      HTTP_HOST: 'fpm-bridge',
      REDIRECT_STATUS: '200',
      AMQP_DAEMON_ID: 'D-1',
      AMQP_QUEUE: 'commands',
      AMQP_MAX_ATTEMPTS: '5',
      AMQP_ACK: 'dispatched',
    })
  })

  it('with a time limit, in whole seconds', () => {
    expect(staticParams({ ...config, timeout: 1_500 }, '1')).toMatchObject({ AMQP_TIMEOUT: '2' })
  })

  it('of a script at the root', () => {
    expect(staticParams({ ...config, script: '/worker.php' }, '1')).toMatchObject({
      SCRIPT_NAME: '/worker.php',
      DOCUMENT_ROOT: '/',
    })
  })
})

describe('params of a delivery', () => {
  it('without properties', () => {
    const delivery = new RecordingDelivery({ exchange: 'orders', routingKey: 'orders.new' })
    expect(prepare(delivery)).toEqual({
      request: {
        params: {
          QUERY_STRING: `execution=${EXECUTION_ID}`,
          REQUEST_URI: `/worker.php?execution=${EXECUTION_ID}`,
          CONTENT_TYPE: 'application/x-www-form-urlencoded',
          AMQP_BODY_LENGTH: '12',
          AMQP_CONSUMER_TAG: 'D-test',
          AMQP_REDELIVERED: '0',
          AMQP_EXECUTION_ID: EXECUTION_ID,
          AMQP_ATTEMPT: '3',
          AMQP_EXCHANGE: 'orders',
          AMQP_ROUTING_KEY: 'orders.new',
        },
        body: Buffer.from('daemonId=D-1'),
      },
      leftOut: [],
    })
  })

  it('that was delivered before', () => {
    expect(prepare(new RecordingDelivery({ redelivered: true })).request.params['AMQP_REDELIVERED']).toBe('1')
  })

  it.each<[string, MessageProperties, string]>([
    ['AMQP_MESSAGE_ID', { messageId: 'm-1' }, 'm-1'],
    ['AMQP_CORRELATION_ID', { correlationId: 'c-1' }, 'c-1'],
    ['AMQP_REPLY_TO', { replyTo: 'amq.rabbitmq.reply-to.x' }, 'amq.rabbitmq.reply-to.x'],
    ['AMQP_TYPE', { type: 'order' }, 'order'],
    ['AMQP_APP_ID', { appId: 'shop' }, 'shop'],
    ['AMQP_USER_ID', { userId: 'guest' }, 'guest'],
    ['AMQP_TIMESTAMP', { timestamp: 1_700_000_000 }, '1700000000'],
    ['AMQP_PRIORITY', { priority: 0 }, '0'],
    ['AMQP_EXPIRATION', { expiration: '60000' }, '60000'],
    ['AMQP_CONTENT_ENCODING', { contentEncoding: 'gzip' }, 'gzip'],
    ['AMQP_DELIVERY_MODE', { deliveryMode: 2 }, '2'],
    ['AMQP_MESSAGE_ID', { messageId: '' }, ''],
    ['AMQP_HEADERS', { headers: { a: 1, b: ['x', { c: null }] } }, '{"a":1,"b":["x",{"c":null}]}'],
  ])('%s of %j', (name, properties, value) => {
    expect(prepared(properties).params[name]).toBe(value)
  })

  it.each<[string, string, MessageProperties]>([
    ['AMQP_MESSAGE_ID', 'NUL', { messageId: 'a\0b' }],
    ['AMQP_CORRELATION_ID', 'CR LF', { correlationId: 'a\r\nX: y' }],
    ['AMQP_TYPE', 'DEL', { type: 'a\x7f' }],
    ['AMQP_APP_ID', 'ESC', { appId: '\x1b[2J' }],
    ['AMQP_REPLY_TO', 'the last below a space', { replyTo: '\x1f' }],
  ])('%s with %s is left out, and the message runs all the same', (name, _, properties) => {
    const { params, leftOut } = prepared(properties)
    expect(params).not.toHaveProperty(name)
    expect(leftOut).toEqual([{ param: name, why: 'it has a control character' }])
  })

  it('exchange and routing key are guarded alike', () => {
    const { request, leftOut } = prepare(new RecordingDelivery({ exchange: 'a\n', routingKey: 'b\0' }))
    expect(Object.keys(request.params)).not.toContain('AMQP_EXCHANGE')
    expect(Object.keys(request.params)).not.toContain('AMQP_ROUTING_KEY')
    expect(leftOut).toHaveLength(2)
  })
})

describe('a copy that comes back', () => {
  const headers = {
    'x-fpm-bridge-queue': 'commands',
    'x-fpm-bridge-exchange': 'orders',
    'x-fpm-bridge-routing-key': 'orders.new',
  }

  it('shows the worker what it says of where it was published to, beside what is sure', () => {
    const { params } = prepared({ headers })
    expect(params).toMatchObject({
      AMQP_EXCHANGE: '',
      AMQP_ROUTING_KEY: 'commands',
      AMQP_ORIGINAL_EXCHANGE: 'orders',
      AMQP_ORIGINAL_ROUTING_KEY: 'orders.new',
    })
  })

  it('is told from a message that others publish to an exchange of their own', () => {
    const delivery = new RecordingDelivery({ exchange: 'x', routingKey: 'y', properties: { headers } })
    const { params } = prepare(delivery).request
    expect(params).toMatchObject({ AMQP_EXCHANGE: 'x', AMQP_ROUTING_KEY: 'y' })
    expect(Object.keys(params).join()).not.toContain('ORIGINAL')
  })
})

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

const httpParams = (headers: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(prepared({ headers }).params).filter(([name]) => name.startsWith('HTTP_')),
  )

describe('headers', () => {
  /** A table of exactly this many bytes as JSON: `{"a":"..."}`. */
  const table = (bytes: number) => ({ a: 'x'.repeat(bytes - 8) })

  it('of 32 KiB are passed, a byte more is left out with a warning', () => {
    expect(prepared({ headers: table(32_768) }).params['AMQP_HEADERS']).toHaveLength(32_768)
    const { params, leftOut } = prepared({ headers: table(32_769) })
    expect(params).not.toHaveProperty('AMQP_HEADERS')
    expect(leftOut).toEqual([{ param: 'AMQP_HEADERS', why: 'it is larger than 32768 bytes' }])
  })

  it('are measured in bytes, not in characters', () => {
    expect(prepared({ headers: { a: '€'.repeat(12_000) } }).params).not.toHaveProperty('AMQP_HEADERS')
  })

  it('have their control characters escaped, and so have one line', () => {
    expect(prepared({ headers: { 'a\0': '\r\n' } }).params['AMQP_HEADERS']).toBe('{"a\\u0000":"\\r\\n"}')
  })

  it.each(
    'PHP_VALUE PHP_ADMIN_VALUE SCRIPT_FILENAME DOCUMENT_ROOT CONTENT_LENGTH CONTENT_TYPE REQUEST_METHOD Proxy HTTP_PROXY AMQP_DAEMON_ID AMQP_QUEUE __proto__ constructor toJSON hasOwnProperty'.split(
      ' ',
    ),
  )('called %s name no param', (name) => {
    const usual = prepared({ headers: {} }).params
    // As amqplib builds its tables: a plain object, a key at a time.
    const headers = JSON.parse(`{"${name}":"hostile"}`)
    const { params } = prepared({ headers })
    expect(params).toEqual({ ...usual, AMQP_HEADERS: `{"${name}":"hostile"}` })
  })

  it.each<[string, Record<string, string>, object]>([
    ['traceparent', { traceparent: TRACEPARENT }, { HTTP_TRACEPARENT: TRACEPARENT }],
    [
      'tracestate',
      { traceparent: TRACEPARENT, tracestate: 'a=1' },
      { HTTP_TRACEPARENT: TRACEPARENT, HTTP_TRACESTATE: 'a=1' },
    ],
    ['baggage', { baggage: 'user=7' }, { HTTP_BAGGAGE: 'user=7' }],
  ])('of a trace become HTTP params: %s', (_, headers, expected) => {
    expect(httpParams(headers)).toEqual(expected)
  })

  it('of a trace that are not valid are left out with a warning', () => {
    const headers = { traceparent: 'x', tracestate: 'a=1', baggage: '=' }
    expect(httpParams(headers)).toEqual({})
    const why = 'the header is not valid'
    const params = ['HTTP_TRACEPARENT', 'HTTP_TRACESTATE', 'HTTP_BAGGAGE']
    expect(prepared({ headers }).leftOut).toEqual(params.map((param) => ({ param, why })))
  })

  it('of any other name become no HTTP param', () => {
    expect(httpParams({ 'x-request-id': '1', host: 'a', proxy: 'b', Traceparent: TRACEPARENT })).toEqual({})
  })

  it('nested deeper than can be written as JSON are left out, and the message runs all the same', () => {
    let headers: Record<string, unknown> = {}
    for (let level = 0; level < 20_000; level += 1) headers = { a: headers }
    expect(prepared({ headers }).leftOut).toEqual([{ param: 'AMQP_HEADERS', why: 'it nests too deep' }])
  })
})

it('a message that came with a defect is unprocessable for just that reason', () => {
  const delivery = new RecordingDelivery({ defect: 'its header table bites' })
  expect(() => prepare(delivery)).toThrow(new UnprocessableError('its header table bites'))
})
