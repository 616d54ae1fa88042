import { randomBytes } from 'node:crypto'
import { type BrokerUrl, parseBrokerUrl } from '../amqp/broker-url.ts'
import type { QueueType } from '../amqp/topology.ts'
import type { AckMode, BridgeConfig, LogLevel, MessageProperties, Payload } from '../bridge/ports.ts'
import { type PoolAddress, parsePoolAddress } from '../fastcgi/address.ts'
import type { LogFormat } from '../observe/logger.ts'
import { refuseContradictions } from './contradictions.ts'
import { OptionReader, type RawOptions } from './reader.ts'
import { readTls, refuseTls } from './tls.ts'
import {
  absolutePath,
  daemonId,
  duration,
  flag,
  integer,
  messageProperty,
  oneOf,
  pagePath,
  pair,
  positiveDuration,
  queueName,
  shortString,
  size,
} from './values.ts'

/** What both commands say about the broker. */
export interface BrokerConfig {
  /** A failover list of one at least. */
  readonly brokers: readonly BrokerUrl[]
  readonly queue: string
  readonly queueType: QueueType
  readonly declare: boolean
}

/** Our FastCGI client, or the npm package fastcgi-client. */
export type Transport = 'native' | 'fastcgi-client'

/** Everything `fpm-bridge run` does follows from this; frozen. */
export interface RunConfig extends BridgeConfig, BrokerConfig {
  readonly pool: PoolAddress
  /** Whether queues are taken that lose their messages some day: not durable, auto-delete, expiring. */
  readonly allowTransientQueue: boolean
  /** Milliseconds. */
  readonly drainTimeout: number
  readonly transport: Transport
  /** Whether connections to the pool are used again. */
  readonly keepAlive: boolean
  /** Bytes kept of an answer's stdout and stderr. */
  readonly maxResponse: number
  readonly maxStderr: number
  /** The pool's pages. */
  readonly statusPath: string
  readonly pingPath: string
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
}

/** Where the messages of `fpm-bridge publish` come from. */
export type MessageSource =
  | { readonly kind: 'arguments'; readonly bodies: readonly string[] }
  /** `{n}` in the body stands for 1 to `count`. */
  | { readonly kind: 'template'; readonly body: string; readonly count: number }
  /** Standard input, one message a line. */
  | { readonly kind: 'lines' }

/** Everything `fpm-bridge publish` does follows from this; frozen. */
export interface PublishConfig extends BrokerConfig {
  readonly source: MessageSource
  readonly properties: MessageProperties
  readonly verbose: boolean
}

/** Of deliveries; a short unsigned integer (AMQP 0-9-1, basic.qos). */
const MAX_PREFETCH = 65_535

/**
 * @throws {OptionError} naming the option at fault, and where its value came from
 */
export function readRunConfig(options: RawOptions): RunConfig {
  const read = new OptionReader(options)
  const concurrency = read.value('concurrency', integer(1, MAX_PREFETCH))
  const queue = read.value('queue', queueName)
  const ack = read.value('ack', oneOf<AckMode>('dispatched', 'completed'))
  const transport = read.value('transport', oneOf<Transport>('native', 'fastcgi-client'))
  const keepAlive = read.value('keep-alive', oneOf('auto', 'on', 'off'))
  const pool = read.value('socket', parsePoolAddress)
  const config: RunConfig = {
    ...readBroker(read, queue),
    pool,
    script: read.value('script', absolutePath),
    daemonId: read.optional('daemon-id', daemonId) ?? randomDaemonId(),
    payload: read.value('payload', oneOf<Payload>('form', 'raw')),
    concurrency,
    prefetch: read.optional('prefetch', integer(1, MAX_PREFETCH)) ?? defaultPrefetch(concurrency, ack),
    allowTransientQueue: read.value('allow-transient-queue', flag),
    deadLetterQueue: read.optional('dead-letter-queue', queueName) ?? `${queue}.dead`,
    drainTimeout: read.value('drain-timeout', duration),
    ack,
    timeout: transport === 'native' || read.given('timeout') ? read.value('timeout', duration) : 0,
    consumerTimeout: read.value('consumer-timeout', duration),
    maxAttempts: ack === 'completed' ? read.value('max-attempts', integer(1, 1_000_000)) : 1,
    retryDelay: read.value('retry-delay', positiveDuration),
    retryMaxDelay: read.value('retry-max-delay', positiveDuration),
    requireMarker: read.value('require-marker', flag),
    maxBody: read.value('max-body', size(1, 1024 ** 3)),
    maxBytesInFlight: read.value('max-bytes-in-flight', size(1, 1024 ** 4)),
    transport,
    keepAlive: keepAlive === 'on' || (keepAlive === 'auto' && mayReuse(transport, ack, pool)),
    maxResponse: read.value('max-response', size(1_024, 1024 ** 3)),
    maxStderr: read.value('max-stderr', size(0, 1024 ** 3)),
    statusPath: read.value('status-path', pagePath),
    pingPath: read.value('ping-path', pagePath),
    logLevel: read.value('log-level', oneOf<LogLevel>('error', 'warn', 'info', 'debug')),
    logFormat: read.value('log-format', oneOf<LogFormat>('auto', 'json', 'text')),
  }
  refuseContradictions(config, read)
  return Object.freeze(config)
}

/**
 * @param messages the command's arguments, one body each
 * @throws {OptionError} naming the option at fault, and where its value came from
 */
export function readPublishConfig(options: RawOptions, messages: readonly string[]): PublishConfig {
  const read = new OptionReader(options)
  return Object.freeze({
    ...readBroker(read, read.value('queue', queueName)),
    source: readSource(read, messages),
    properties: Object.freeze({
      ...Object.fromEntries(read.list('property', messageProperty)),
      contentType: read.value('content-type', shortString),
      headers: Object.freeze(Object.fromEntries(read.list('header', pair))),
    }),
    verbose: read.value('verbose', flag),
  })
}

function readBroker(read: OptionReader, queue: string): BrokerConfig {
  const tls = readTls(read)
  const brokers = read.secrets('url', (text) => parseBrokerUrl(text, tls))
  if (!brokers.some((broker) => broker.tls !== undefined)) refuseTls(read, tls)
  return {
    brokers: Object.freeze(brokers),
    queue,
    queueType: read.value('queue-type', oneOf<QueueType>('classic', 'quorum')),
    declare: read.value('declare', flag),
  }
}

function readSource(read: OptionReader, messages: readonly string[]): MessageSource {
  const body = read.optional('body', (text) => text)
  const count = read.optional('count', integer(1, Number.MAX_SAFE_INTEGER))
  if (body === undefined) {
    if (count !== undefined) read.refuse('count', 'needs --body')
    return messages.length > 0 ? { kind: 'arguments', bodies: messages } : { kind: 'lines' }
  }
  if (messages.length > 0) read.refuse('body', 'cannot be given together with messages as arguments')
  return { kind: 'template', body, count: count ?? 1 }
}

/**
 * A message that was acked when it was sent may not disappear in a connection that php-fpm was just closing. On a Unix socket it
 * is known, and kept; over TCP nobody knows.
 */
function mayReuse(transport: Transport, ack: AckMode, { kind }: PoolAddress): boolean {
  return transport === 'native' && (ack === 'completed' || kind === 'unix')
}

/**
 * With `completed` a message is acked when it is done: without a spare one, each slot that becomes free would wait for the
 * ack's way to the broker and the next delivery's way back. `dispatched` has acked it long before that.
 */
function defaultPrefetch(concurrency: number, ack: AckMode): number {
  return ack === 'dispatched'
    ? concurrency
    : Math.min(concurrency + Math.floor(concurrency / 2), MAX_PREFETCH)
}

/** Two daemons with one id could not be told apart; 32 random bits are enough for any fleet. */
function randomDaemonId(): string {
  return `D-${randomBytes(4).toString('hex')}`
}
