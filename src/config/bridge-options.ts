import type { QueueType } from '../amqp/queue.ts'
import type { AckMode, Payload } from '../bridge/ports.ts'
import { DIRECT_REPLY_TO } from '../bridge/reply-target.ts'
import { type PoolAddress, parsePoolAddress } from '../fastcgi/address.ts'
import type { BridgeConfig, Transport } from './bridge-config.ts'
import { refuseContradictions } from './contradictions.ts'
import { listOf, optional } from './parse.ts'
import type { OptionReader } from './reader.ts'
import {
  absolutePath,
  bridgeName,
  defaultBridgeName,
  duration,
  flag,
  integer,
  oneOf,
  pagePath,
  positiveDuration,
  queueName,
  replyPattern,
  size,
} from './values.ts'

/** Of deliveries; a short unsigned integer (AMQP 0-9-1, basic.qos). */
const MAX_PREFETCH = 65_535

/** Messages for each child, where a request carries many: eight on their way to it at most, and as many that may follow. */
const READ_AHEAD = 16

/** The options that each bridge has of its own. */
export const BRIDGE_OPTIONS = {
  name: optional(bridgeName),
  queue: queueName,
  'queue-type': oneOf<QueueType>('classic', 'quorum'),
  declare: flag,
  socket: parsePoolAddress,
  script: absolutePath,
  payload: oneOf<Payload>('form', 'raw'),
  concurrency: integer(1, MAX_PREFETCH),
  prefetch: optional(integer(1, MAX_PREFETCH)),
  'messages-per-request': integer(1, 1_000_000),
  'request-lifetime': positiveDuration,
  'allow-transient-queue': flag,
  'dead-letter-queue': optional(queueName),
  ack: oneOf<AckMode>('dispatched', 'completed'),
  timeout: duration,
  'consumer-timeout': duration,
  'max-attempts': integer(1, 1_000_000),
  'retry-delay': positiveDuration,
  'retry-max-delay': positiveDuration,
  'require-marker': flag,
  replies: flag,
  'reply-allow': listOf(replyPattern),
  'max-body': size(1, 1024 ** 3),
  'max-bytes-in-flight': size(1, 1024 ** 4),
  transport: oneOf<Transport>('native', 'fastcgi-client'),
  'keep-alive': oneOf('auto', 'on', 'off'),
  'max-response': size(1_024, 1024 ** 3),
  'max-stderr': size(0, 1024 ** 3),
  'status-path': pagePath,
  'ping-path': pagePath,
}

/** @throws {OptionError} of all that is wrong, each with its option and where its value came from */
export function readBridgeConfig(read: OptionReader, daemonId: string): BridgeConfig {
  const given = read.values(BRIDGE_OPTIONS)
  const { queue, concurrency, ack, transport, socket: pool, 'keep-alive': keepAlive } = given
  const config: BridgeConfig = {
    name: given.name ?? defaultBridgeName(queue),
    listed: read.ofEntry,
    daemonId,
    queue,
    queueType: given['queue-type'],
    declare: given.declare,
    pool,
    script: given.script,
    payload: given.payload,
    concurrency,
    prefetch: given.prefetch ?? defaultPrefetch(concurrency, ack, given['messages-per-request']),
    messagesPerRequest: given['messages-per-request'],
    requestLifetime: given['request-lifetime'],
    allowTransientQueue: given['allow-transient-queue'],
    deadLetterQueue: given['dead-letter-queue'] ?? `${queue}.dead`,
    replyAllow: given.replies ? replyAllow(given['reply-allow']) : undefined,
    ack,
    timeout: transport === 'native' || read.given('timeout') ? given.timeout : 0,
    consumerTimeout: given['consumer-timeout'],
    maxAttempts: ack === 'completed' ? given['max-attempts'] : 1,
    retryDelay: given['retry-delay'],
    retryMaxDelay: given['retry-max-delay'],
    requireMarker: given['require-marker'],
    maxBody: given['max-body'],
    maxBytesInFlight: given['max-bytes-in-flight'],
    transport,
    keepAlive: keepAlive === 'on' || (keepAlive === 'auto' && mayReuse(transport, ack, pool)),
    maxResponse: given['max-response'],
    maxStderr: given['max-stderr'],
    statusPath: given['status-path'],
    pingPath: given['ping-path'],
  }
  refuseContradictions(config, read)
  return Object.freeze(config)
}

/**
 * A message that was acked when it was sent may not disappear in a connection that php-fpm was just closing. On a Unix socket it
 * is known, and kept; over TCP nobody knows.
 */
function mayReuse(transport: Transport, ack: AckMode, { kind }: PoolAddress): boolean {
  return transport === 'native' && (ack === 'completed' || kind === 'unix')
}

/** Without further words, callers that wait for an answer at this very moment, and no queue: what is published there is stored. */
function replyAllow(given: readonly string[]): readonly string[] {
  return Object.freeze(given.length > 0 ? given : [`${DIRECT_REPLY_TO}.*`])
}

/**
 * With `completed` a message is acked when it is done: without a spare one, each slot that becomes free would wait for the
 * ack's way to the broker and the next delivery's way back. `dispatched` has acked it long before that.
 */
function defaultPrefetch(concurrency: number, ack: AckMode, messagesPerRequest: number): number {
  if (messagesPerRequest > 1) return Math.min(concurrency * READ_AHEAD, MAX_PREFETCH)
  return ack === 'dispatched'
    ? concurrency
    : Math.min(concurrency + Math.floor(concurrency / 2), MAX_PREFETCH)
}
