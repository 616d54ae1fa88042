/** The AMQP basic properties a message may carry (AMQP 0-9-1, class basic), under the names of the specification. */
export interface MessageProperties {
  readonly contentType?: string | undefined
  readonly contentEncoding?: string | undefined
  readonly headers?: Readonly<Record<string, unknown>> | undefined
  readonly deliveryMode?: number | undefined
  readonly priority?: number | undefined
  readonly correlationId?: string | undefined
  readonly replyTo?: string | undefined
  readonly expiration?: string | undefined
  readonly messageId?: string | undefined
  /** Seconds since the epoch, as the publisher set them. */
  readonly timestamp?: number | undefined
  readonly type?: string | undefined
  readonly userId?: string | undefined
  readonly appId?: string | undefined
}

/** A message handed to us, to be settled exactly once. */
export interface Delivery {
  readonly deliveryTag: number
  readonly consumerTag: string
  /** Set on messages that never ran, too: a hint for the worker, never a count. */
  readonly redelivered: boolean
  readonly exchange: string
  readonly routingKey: string
  readonly properties: MessageProperties
  readonly body: Buffer
  /** Why it cannot be executed, where it came with headers that nobody can decode; those are missing then. */
  readonly defect?: string | undefined
  /**
   * False once the channel it came on is gone: the broker hands the message out again by itself, and its
   * delivery tag may by then belong to another message. Settling does nothing from then on.
   */
  readonly live: boolean
  ack(): void
  /** nack(requeue): hands the message back, for a consumer that can start it. */
  requeue(): void
}

/** A message of ours on its way to a queue, by way of the default exchange. */
export interface OutgoingMessage {
  readonly queue: string
  readonly properties: MessageProperties
  readonly body: Buffer
}

export interface Publisher {
  /**
   * Resolves when the broker has routed the message to a queue and confirmed it.
   * Rejects when it has not, or when that cannot be known; with an error of the code `INVALID_MESSAGE` when it
   * never will, because AMQP cannot express its properties.
   */
  publish(message: OutgoingMessage): Promise<void>
}

export type LogLevel = 'error' | 'warn' | 'info' | 'debug'

/** One line per event: a sentence for the reader, and the facts as fields. */
export type Log = Readonly<
  Record<LogLevel, (message: string, fields?: Readonly<Record<string, unknown>>) => void>
>

/** What the domain needs of the configuration. */
export interface BridgeConfig {
  readonly daemonId: string
  readonly queue: string
  readonly deadLetterQueue: string
  /** Absolute, as php-fpm sees it. */
  readonly script: string
  readonly payload: Payload
  readonly ack: AckMode
  /** Milliseconds that a request may take; 0 = no limit. */
  readonly timeout: number
  /** Requests in flight at most. */
  readonly concurrency: number
}

/** How a body becomes a request: JSON as `$_POST`, or its bytes as they are. */
export type Payload = 'form' | 'raw'

/** When a message is acked: when its request has been handed to the pool, or when the worker has succeeded. */
export type AckMode = 'dispatched' | 'completed'
