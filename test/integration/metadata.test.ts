import { expect } from 'vitest'
import { byte, field, long } from '../support/amqp-frames.ts'
import { test } from '../support/fixtures.ts'
import { publishAll, takeAll } from '../support/messages.ts'
import { payloadRecords, payloadScript } from '../support/payload-records.ts'
import { publishRaw, withHeaders } from '../support/raw-publisher.ts'

const MODES = ['form', 'raw']
const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

test.for(MODES)(
  '%s: every property is a param, and nothing else of the message',
  async (payload, { broker, queue, sharedPool, startDaemon }) => {
    const headers = {
      HTTP_PROXY: 'x',
      'X-Forwarded-For': '1.2.3.4',
      AMQP_QUEUE: 'other',
      CONTENT_LENGTH: '0',
    }
    await publishAll(broker, queue, ['{}'], {
      messageId: 'M 1=&?ä',
      correlationId: 'C-1',
      replyTo: 'amq.rabbitmq.reply-to.x',
      type: 'order.created',
      appId: 'shop',
      userId: 'guest',
      timestamp: 1_700_000_000,
      priority: 5,
      expiration: '60000',
      contentType: 'application/json',
      contentEncoding: 'identity',
      headers,
    })
    const daemon = await startDaemon({
      script: payloadScript,
      args: ['--payload', payload, '--ack', 'completed', '--daemon-id', 'D-1', '--timeout', '1m'],
    })
    const [record] = await payloadRecords(sharedPool.workerLog, queue, 1)
    const { execution_id: executionId } = await daemon.waitForLine('Executed.')
    const { AMQP_HEADERS, ...params } = record?.params ?? {}
    expect(params).toEqual({
      AMQP_DAEMON_ID: 'D-1',
      AMQP_QUEUE: queue,
      AMQP_EXCHANGE: '',
      AMQP_ROUTING_KEY: queue,
      AMQP_CONSUMER_TAG: 'D-1',
      AMQP_REDELIVERED: '0',
      AMQP_ATTEMPT: '1',
      AMQP_MAX_ATTEMPTS: '5',
      AMQP_ACK: 'completed',
      AMQP_EXECUTION_ID: executionId,
      AMQP_DEADLINE: expect.stringMatching(/^\d{10}$/),
      AMQP_TIMEOUT: '60',
      AMQP_BODY_LENGTH: params['CONTENT_LENGTH'],
      AMQP_MESSAGE_ID: 'M 1=&?ä',
      AMQP_CORRELATION_ID: 'C-1',
      AMQP_REPLY_TO: 'amq.rabbitmq.reply-to.x',
      AMQP_TYPE: 'order.created',
      AMQP_APP_ID: 'shop',
      AMQP_USER_ID: 'guest',
      AMQP_TIMESTAMP: '1700000000',
      AMQP_PRIORITY: '5',
      AMQP_EXPIRATION: '60000',
      AMQP_CONTENT_ENCODING: 'identity',
      AMQP_DELIVERY_MODE: '2',
      CONTENT_TYPE: payload === 'raw' ? 'application/json' : 'application/x-www-form-urlencoded',
      CONTENT_LENGTH: payload === 'raw' ? '2' : '12',
      HTTP_HOST: 'fpm-bridge',
    })
    // RabbitMQ 4 has them in the order of their names, 3 in the publisher's.
    expect(JSON.parse(AMQP_HEADERS ?? '')).toEqual(headers)
  },
)

test.for(MODES)(
  '%s: headers of every type arrive as AMQP_HEADERS',
  async (payload, { broker, queue, sharedPool, startDaemon }) => {
    const headers = {
      string: 'ä"\0\r\n',
      true: true,
      false: false,
      void: null,
      int8: { '!': 'int8', value: -128 },
      uint8: { '!': 'uint8', value: 255 },
      int16: { '!': 'int16', value: -32_768 },
      uint16: { '!': 'uint16', value: 65_535 },
      int32: -2_147_483_648,
      uint32: { '!': 'uint32', value: 4_294_967_295 },
      int64: { '!': 'int64', value: 9_007_199_254_740_991 },
      float: { '!': 'float', value: 1.5 },
      double: 0.1,
      minusZero: { '!': 'double', value: -0 },
      timestamp: { '!': 'timestamp', value: 1_700_000_000 },
      decimal: { '!': 'decimal', value: { places: 2, digits: 12_345 } },
      bytes: Buffer.from([0, 255, 104]),
      list: ['a', [], {}, [1, { b: Buffer.from('x') }]],
      table: { nested: { deeper: [null, true] } },
      hasOwnProperty: 'a',
      toJSON: 'b',
      constructor: 'c',
    }
    await publishAll(broker, queue, ['{}'], { headers })
    await startDaemon({ script: payloadScript, args: ['--payload', payload] })
    const [record] = await payloadRecords(sharedPool.workerLog, queue, 1)
    expect(record?.headers).toEqual({
      ...headers,
      int8: -128,
      uint8: 255,
      int16: -32_768,
      uint16: 65_535,
      uint32: 4_294_967_295,
      int64: 9_007_199_254_740_991,
      float: 1.5,
      minusZero: -0,
      bytes: { '!': 'base64', value: 'AP9o' },
      // PHP's arrays do not tell an empty object from an empty list.
      list: ['a', [], [], [1, { b: { '!': 'base64', value: 'eA==' } }]],
    })
  },
)

test.for([
  {
    what: 'integers beyond 2^53 are exact',
    fields: field('a', 'l', Buffer.from('0020000000000001', 'hex')),
    json: '{"a":9007199254740993}',
  },
  {
    what: 'bytes that are no UTF-8 are replaced',
    fields: field('a', 'S', long(2), Buffer.from([0xff, 0x41])),
    json: '{"a":"\ufffdA"}',
  },
  {
    what: 'of names that come twice the last counts, in the first place; RabbitMQ 4 passes on the first alone',
    fields: Buffer.concat([field('a', 't', byte(1)), field('b', 't', byte(1)), field('a', 't', byte(0))]),
    json: '{"a":false,"b":true}',
    from4: '{"a":true,"b":true}',
  },
  {
    what: 'names that look like integers come first',
    fields: Buffer.concat([field('b', 't', byte(1)), field('1', 't', byte(1))]),
    json: '{"1":true,"b":true}',
  },
  {
    what: '__proto__ is a name like any other',
    fields: Buffer.concat([field('a', 't', byte(1)), field('__proto__', 'x', long(2), Buffer.from('hi'))]),
    json: '{"a":true,"__proto__":{"!":"base64","value":"aGk="}}',
    from4: '{"__proto__":{"!":"base64","value":"aGk="},"a":true}',
  },
  {
    what: 'a table that looks like a type of ours is told from it',
    fields: field('a', 'F', long(13), field('!', 'S', long(6), Buffer.from('double'))),
    json: '{"a":{"!":"table","value":{"!":"double"}}}',
  },
] as { what: string; fields: Buffer; json: string; from4?: string }[])(
  'what becomes of headers: $what',
  async ({ fields, json, from4 = json }, { broker, queue, sharedPool, startDaemon }) => {
    await publishAll(broker, queue, [])
    await publishRaw(broker, queue, withHeaders(fields))
    await startDaemon({ script: payloadScript })
    const [record] = await payloadRecords(sharedPool.workerLog, queue, 1)
    expect(record?.params['AMQP_HEADERS']).toBe((await broker.majorVersion()) < 4 ? json : from4)
  },
)

test('a table whose field __proto__ is a byte array harms nobody when its message is dead-lettered', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const inner = field('__proto__', 'x', long(2), Buffer.from('hi'))
  await publishAll(broker, queue, [])
  await publishRaw(
    broker,
    queue,
    withHeaders(field('a', 'F', long(inner.length), inner), 'M-1', Buffer.from('no JSON')),
  )
  const daemon = await startDaemon()
  await daemon.waitForLine('Dead-lettered.')
  const [dead] = await takeAll(broker, `${queue}.dead`)
  expect(dead?.content.toString()).toBe('no JSON')
  expect(dead?.properties.headers?.['x-fpm-bridge-reason']).toContain('JSON')
  expect(Object.keys(dead?.properties.headers ?? {})).toContain('a')
})

test.for(MODES)(
  '%s: a trace is passed on as HTTP headers, as far as it is valid',
  async (payload, { broker, queue, sharedPool, startDaemon }) => {
    const valid = { traceparent: TRACEPARENT, tracestate: 'a=1, b@c=2', baggage: 'user=7;p=1, b=%20' }
    await publishAll(broker, queue, ['{}'], { headers: { ...valid, 'x-request-id': '1' } })
    await publishAll(broker, queue, ['{}'], { headers: { ...valid, traceparent: TRACEPARENT.toUpperCase() } })
    const daemon = await startDaemon({
      script: payloadScript,
      args: ['--payload', payload, '--concurrency', '1'],
    })
    const records = await payloadRecords(sharedPool.workerLog, queue, 2)
    const http = records.map(({ params }) =>
      Object.entries(params).filter(([name]) => name.startsWith('HTTP_')),
    )
    expect(http.map(Object.fromEntries)).toEqual([
      {
        HTTP_HOST: 'fpm-bridge',
        HTTP_TRACEPARENT: TRACEPARENT,
        HTTP_TRACESTATE: 'a=1, b@c=2',
        HTTP_BAGGAGE: 'user=7;p=1, b=%20',
      },
      { HTTP_HOST: 'fpm-bridge', HTTP_BAGGAGE: 'user=7;p=1, b=%20' },
    ])
    await daemon.waitForLine('HTTP_TRACEPARENT is left out')
    await daemon.waitForLine('HTTP_TRACESTATE is left out')
  },
)
