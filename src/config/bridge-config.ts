import type { QueueType } from '../amqp/topology.ts'
import type { AckMode, BridgePolicy, Payload } from '../bridge/ports.ts'
import { type PoolAddress, parsePoolAddress } from '../fastcgi/address.ts'
import { refuseContradictions } from './contradictions.ts'
import type { OptionReader } from './reader.ts'
import {
  absolutePath,
  duration,
  flag,
  integer,
  oneOf,
  pagePath,
  positiveDuration,
  queueName,
  size,
} from './values.ts'

/** Our FastCGI client, or the npm package fastcgi-client. */
export type Transport = 'native' | 'fastcgi-client'

/** Everything one bridge does follows from this; frozen. */
export interface BridgeConfig extends BridgePolicy {
  readonly queueType: QueueType
  readonly declare: boolean
  readonly pool: PoolAddress
  /** Whether queues are taken that lose their messages some day: not durable, auto-delete, expiring. */
  readonly allowTransientQueue: boolean
  readonly transport: Transport
  /** Whether connections to the pool are used again. */
  readonly keepAlive: boolean
  /** Bytes kept of an answer's stdout and stderr. */
  readonly maxResponse: number
  readonly maxStderr: number
  /** The pool's pages. */
  readonly statusPath: string
  readonly pingPath: string
}

/** Of deliveries; a short unsigned integer (AMQP 0-9-1, basic.qos). */
const MAX_PREFETCH = 65_535

/** @throws {OptionError} naming the option at fault, and where its value came from */
export function readBridgeConfig(read: OptionReader, daemonId: string): BridgeConfig {
  const concurrency = read.value('concurrency', integer(1, MAX_PREFETCH))
  const queue = read.value('queue', queueName)
  const ack = read.value('ack', oneOf<AckMode>('dispatched', 'completed'))
  const transport = read.value('transport', oneOf<Transport>('native', 'fastcgi-client'))
  const keepAlive = read.value('keep-alive', oneOf('auto', 'on', 'off'))
  const pool = read.value('socket', parsePoolAddress)
  const config: BridgeConfig = {
    name: queue,
    daemonId,
    queue,
    queueType: read.value('queue-type', oneOf<QueueType>('classic', 'quorum')),
    declare: read.value('declare', flag),
    pool,
    script: read.value('script', absolutePath),
    payload: read.value('payload', oneOf<Payload>('form', 'raw')),
    concurrency,
    prefetch: read.optional('prefetch', integer(1, MAX_PREFETCH)) ?? defaultPrefetch(concurrency, ack),
    allowTransientQueue: read.value('allow-transient-queue', flag),
    deadLetterQueue: read.optional('dead-letter-queue', queueName) ?? `${queue}.dead`,
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

/**
 * With `completed` a message is acked when it is done: without a spare one, each slot that becomes free would wait for the
 * ack's way to the broker and the next delivery's way back. `dispatched` has acked it long before that.
 */
function defaultPrefetch(concurrency: number, ack: AckMode): number {
  return ack === 'dispatched'
    ? concurrency
    : Math.min(concurrency + Math.floor(concurrency / 2), MAX_PREFETCH)
}
