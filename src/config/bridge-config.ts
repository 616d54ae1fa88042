import type { QueueType } from '../amqp/queue.ts'
import type { BridgePolicy } from '../bridge/ports.ts'
import type { PoolAddress } from '../fastcgi/address.ts'

/** Our FastCGI client, or the npm package fastcgi-client. */
export type Transport = 'native' | 'fastcgi-client'

/** Everything one bridge does follows from this; frozen. */
export interface BridgeConfig extends BridgePolicy {
  /** Whether it is one of those that a file lists: then log lines and consumer tags name it. */
  readonly listed: boolean
  readonly queueType: QueueType
  readonly declare: boolean
  readonly pool: PoolAddress
  /** Whether queues are taken that lose their messages some day: not durable, auto-delete, expiring. */
  readonly allowTransientQueue: boolean
  readonly transport: Transport
  /** Messages that one request carries, at most; 1: each is a request of its own. */
  readonly messagesPerRequest: number
  /** Milliseconds after which a request takes no more messages, where it carries many. */
  readonly requestLifetime: number
  /** Whether connections to the pool are used again. */
  readonly keepAlive: boolean
  /** Bytes kept of an answer's stdout and stderr. */
  readonly maxResponse: number
  readonly maxStderr: number
  /** The pool's pages. */
  readonly statusPath: string
  readonly pingPath: string
}
