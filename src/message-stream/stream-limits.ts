import type { PoolAddress } from '../fastcgi/address.ts'

/**
 * Milliseconds since a worker's last word, after which it asks before it executes what was sent ahead: shorter, and messages of a few
 * milliseconds would often be sent twice; longer, and they would wait for long behind a long one.
 */
export const LEASE = 50

/**
 * Milliseconds beyond the lease: clocks tick, and over TCP an answer may be on its way. On a Unix socket what is written can be read at
 * once.
 */
export const LEASE_TOLERANCE: Readonly<Record<PoolAddress['kind'], number>> = { unix: 10, tcp: 100 }

/** Bytes of messages that one request carries, at most, and one message more: php-fpm writes them all to a file. */
const BYTES = 8 * 1024 ** 2

/** Milliseconds without a message after which a request ends: its child may be wanted elsewhere. */
const IDLE = 1_000

/** Of one request. */
export interface StreamLimits {
  readonly addressKind: PoolAddress['kind']
  /** Messages that it carries, at most. */
  readonly messages: number
  readonly bytes: number
  /** Milliseconds until it takes no more messages. */
  readonly lifetime: number
  readonly idle: number
  /** Milliseconds for a message, its wait for a stream included, and for a script's hello; 0 = no limit. */
  readonly timeout: number
  /** Bytes of an answer, and of what is written to stderr with it, that are kept. */
  readonly maxResponse: number
  readonly maxStderr: number
}

export const FIXED_LIMITS: Pick<StreamLimits, 'bytes' | 'idle'> = { bytes: BYTES, idle: IDLE }
