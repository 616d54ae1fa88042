import type { FastCgiRequest } from '../fastcgi/types.ts'
import { encodeForm } from '../payload/form.ts'
import { headersToJson } from '../payload/header-json.ts'
import { traceParams } from '../payload/trace.ts'
import { UnprocessableError } from '../payload/unprocessable.ts'
import type { Execution } from './execution.ts'
import type { BridgePolicy, MessageProperties } from './ports.ts'

/** A larger header table is left out: php-fpm resets connections whose params approach 64 KiB a pair. */
const MAX_HEADERS_BYTES = 32 * 1024

/** The properties a worker gets to see, each behind the name of its param. */
const PROPERTY_PARAMS = [
  ['AMQP_MESSAGE_ID', 'messageId'],
  ['AMQP_CORRELATION_ID', 'correlationId'],
  ['AMQP_REPLY_TO', 'replyTo'],
  ['AMQP_TYPE', 'type'],
  ['AMQP_APP_ID', 'appId'],
  ['AMQP_USER_ID', 'userId'],
  ['AMQP_TIMESTAMP', 'timestamp'],
  ['AMQP_PRIORITY', 'priority'],
  ['AMQP_EXPIRATION', 'expiration'],
  ['AMQP_CONTENT_ENCODING', 'contentEncoding'],
  ['AMQP_DELIVERY_MODE', 'deliveryMode'],
] as const satisfies readonly (readonly [string, keyof MessageProperties])[]

/** What every request carries (RFC 3875, section 4.1, and what php-fpm needs to run a script at all). */
export function staticParams(config: BridgePolicy, version: string): Record<string, string> {
  const uri = scriptName(config)
  return {
    GATEWAY_INTERFACE: 'CGI/1.1',
    SERVER_PROTOCOL: 'HTTP/1.1',
    SERVER_SOFTWARE: `fpm-bridge/${version}`,
    REQUEST_METHOD: 'POST',
    SCRIPT_FILENAME: config.script,
    SCRIPT_NAME: uri,
    DOCUMENT_URI: uri,
    DOCUMENT_ROOT: config.script.slice(0, -uri.length) || '/',
    REMOTE_ADDR: '127.0.0.1',
    REMOTE_PORT: '0',
    SERVER_ADDR: '127.0.0.1',
    SERVER_PORT: '0',
    SERVER_NAME: 'fpm-bridge',
    HTTP_HOST: 'fpm-bridge',
    // php-cgi's cgi.force_redirect wants to see that a server sent the request.
    REDIRECT_STATUS: '200',
    AMQP_DAEMON_ID: config.daemonId,
    AMQP_QUEUE: config.queue,
    AMQP_MAX_ATTEMPTS: String(config.maxAttempts),
    AMQP_ACK: config.ack,
    ...(config.timeout > 0 && { AMQP_TIMEOUT: String(Math.ceil(config.timeout / 1_000)) }),
  }
}

/** `/` and the script's base name. */
function scriptName({ script }: Pick<BridgePolicy, 'script'>): string {
  return script.slice(script.lastIndexOf('/'))
}

/** A param that the worker does not get to see. */
export interface LeftOut {
  readonly param: string
  readonly why: string
}

export interface PreparedRequest {
  readonly request: FastCgiRequest
  readonly leftOut: readonly LeftOut[]
}

/** What is to be executed. */
type Subject = Pick<Execution, 'delivery' | 'history' | 'executionId' | 'attempt'>

/**
 * What one delivery asks of the pool. No part of a message ever names a param: a header called
 * PHP_ADMIN_VALUE or SCRIPT_FILENAME is only a key in the JSON of AMQP_HEADERS. Of HTTP_* there are the three of a trace.
 *
 * @returns a promise only where the body becomes a large form
 * @throws {UnprocessableError} or rejects with it, when the body is too large or cannot become a form, or the message came
 *   with a defect
 */
export function prepareRequest(
  execution: Subject,
  config: BridgePolicy,
): PreparedRequest | Promise<PreparedRequest> {
  const { body, defect } = execution.delivery
  if (defect !== undefined) throw new UnprocessableError(defect)
  if (body.length > config.maxBody) {
    throw new UnprocessableError(`the body has ${body.length} bytes; --max-body allows ${config.maxBody}`)
  }
  if (config.payload === 'raw') return requestWith(body, execution, config)
  const form = encodeForm(body, ['daemonId', config.daemonId])
  if (form instanceof Promise) return form.then((made) => requestWith(made, execution, config))
  return requestWith(form, execution, config)
}

function requestWith(
  body: Buffer,
  { delivery, history, executionId, attempt }: Subject,
  config: BridgePolicy,
): PreparedRequest {
  const { properties } = delivery
  const leftOut: LeftOut[] = []
  const query = `execution=${executionId}`
  const params: Record<string, string> = {
    // php-fpm's access log, slow log, its notices of what it ends, and its status page name it.
    QUERY_STRING: query,
    REQUEST_URI: `${scriptName(config)}?${query}`,
    CONTENT_TYPE: 'application/x-www-form-urlencoded',
    AMQP_CONSUMER_TAG: delivery.consumerTag,
    AMQP_REDELIVERED: delivery.redelivered ? '1' : '0',
    AMQP_EXECUTION_ID: executionId,
    AMQP_ATTEMPT: String(attempt),
  }
  // Past this time nobody waits for the answer any more, and the message may be on its way again: rounded down, since an
  // execution beside its own repetition is worse than one that is put off.
  if (config.timeout > 0) params['AMQP_DEADLINE'] = String(Math.floor((Date.now() + config.timeout) / 1_000))
  const add = (name: string, value: string): void => {
    // A NUL ends the value for PHP, and CR LF would pass through into whatever the worker writes it to.
    if (hasControlByte(value)) leftOut.push({ param: name, why: 'it has a control character' })
    else params[name] = value
  }
  add('AMQP_EXCHANGE', delivery.exchange)
  add('AMQP_ROUTING_KEY', delivery.routingKey)
  if (history.origin !== undefined) {
    add('AMQP_ORIGINAL_EXCHANGE', history.origin.exchange)
    add('AMQP_ORIGINAL_ROUTING_KEY', history.origin.routingKey)
  }
  for (const [name, property] of PROPERTY_PARAMS) {
    const value = properties[property]
    if (value !== undefined) add(name, String(value))
  }
  if (properties.headers !== undefined) {
    const json = headersToJson(properties.headers)
    if (json === undefined) leftOut.push({ param: 'AMQP_HEADERS', why: 'it nests too deep' })
    else if (Buffer.byteLength(json) > MAX_HEADERS_BYTES) {
      leftOut.push({ param: 'AMQP_HEADERS', why: `it is larger than ${MAX_HEADERS_BYTES} bytes` })
    } else params['AMQP_HEADERS'] = json
    const trace = traceParams(properties.headers)
    Object.assign(params, trace.params)
    for (const param of trace.invalid) leftOut.push({ param, why: 'the header is not valid' })
  }
  if (config.payload === 'raw') {
    params['CONTENT_TYPE'] = 'application/octet-stream'
    if (properties.contentType !== undefined) add('CONTENT_TYPE', properties.contentType)
  }
  // PHP runs a script with as much of the body as it got: the worker has to compare.
  params['AMQP_BODY_LENGTH'] = String(body.length)
  return { request: { params, body }, leftOut }
}

function hasControlByte(value: string): boolean {
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index)
    if (code < 0x20 || code === 0x7f) return true
  }
  return false
}
