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

/**
 * A field of a header table. The characters of its name are the bytes of it, which need not be UTF-8. A value that came with a
 * message is those bytes, for nobody but src/amqp to look into; one of ours is a text, an integer or a boolean.
 */
export type HeaderField = readonly [name: string, value: string | number | boolean | Uint8Array]

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
  /** Its header table as it came: `properties.headers` is what can be made of it. */
  headerFields(): readonly HeaderField[]
  /** Why it cannot be executed, where it came with headers that nobody can decode; those are missing then. */
  readonly defect?: string | undefined
  /** When it came, in milliseconds of `performance.now()`: from then on the broker's clock runs. */
  readonly receivedAt: number
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
  readonly properties: Omit<MessageProperties, 'headers'>
  readonly headers: readonly HeaderField[]
  readonly body: Buffer
}

export interface Publisher {
  /**
   * Resolves when the broker has routed the message to a queue and confirmed it.
   *
   * @param alone beside no other message: with an error of the code `SUSPECTED` it failed together with others, for one of them
   * @throws when it has not, or when that cannot be known. The error has a `code`: with `HEADERS_TOO_LARGE` (by `excess` bytes),
   * `INVALID_MESSAGE`, `MESSAGE_REFUSED` and `BODY_TOO_LARGE` trying again as it is will not help
   */
  publish(message: OutgoingMessage, alone?: boolean): Promise<void>
}

/** Where answers to messages go. */
export interface ReplyPublisher extends Publisher {
  /**
   * For a caller without a queue (direct reply-to), which no message is ever routed to. Resolves when the broker has read it.
   *
   * @param onSent called before, when it is with the socket
   * @param alone as with publish
   * @throws as publish
   */
  send(message: OutgoingMessage, onSent: () => void, alone?: boolean): Promise<void>
}

/** Where messages in the work queue go that are for the daemon. */
export interface ControlDesk {
  /** How the daemon is, as JSON. */
  report(): Buffer
  /** @returns why no answer goes to that queue; undefined where it may */
  answerRefusal(replyTo: string): string | undefined
  /** Has the process end, as a signal does. */
  shutDown(): void
}

/** Where deliveries come from. */
export interface Intake {
  /** Idempotent. Resolves when no more deliveries come; those that are here can still be settled. */
  pause(): Promise<void>
  /** Idempotent. */
  resume(): void
  /** As many deliveries more as are handed out at once, whatever is unacked by then. */
  widen(): void
}

/** What an outcome depends on, beside what happened. */
export interface OutcomePolicy {
  readonly ack: AckMode
  /** Executions of one message before it is given up; 1 with `dispatched`. */
  readonly maxAttempts: number
  /** Whether success needs the header `X-Bridge-Outcome: ack`. */
  readonly requireMarker: boolean
}

/** How long messages rest between two attempts. */
export interface RetryPolicy {
  /** Milliseconds after the first attempt; doubled after each further one. */
  readonly retryDelay: number
  /** Milliseconds at most. */
  readonly retryMaxDelay: number
}

/** What the domain needs of the configuration of one bridge. */
export interface BridgePolicy extends OutcomePolicy, RetryPolicy {
  /** What operators call the bridge: its queue, or what the configuration file says. */
  readonly name: string
  readonly daemonId: string
  readonly queue: string
  readonly deadLetterQueue: string
  /** Where answers may go, as names of queues in which `*` stands for anything; undefined where nobody is answered. */
  readonly replyAllow: readonly string[] | undefined
  /** Absolute, as php-fpm sees it. */
  readonly script: string
  readonly payload: Payload
  /** Bytes of a body; larger ones are not executed. */
  readonly maxBody: number
  /** Milliseconds that a request may take; 0 = no limit. */
  readonly timeout: number
  /** Milliseconds after which the broker closes a channel with an unacked delivery (its `consumer_timeout`). */
  readonly consumerTimeout: number
  /** Requests in flight at most. */
  readonly concurrency: number
  /** Deliveries unacked at most. */
  readonly prefetch: number
  /** Bytes of requests in flight, from which on no more are dispatched. */
  readonly maxBytesInFlight: number
}

/** How a body becomes a request: JSON as `$_POST`, or its bytes as they are. */
export type Payload = 'form' | 'raw'

/** When a message is acked: when its request has been handed to the pool, or when the worker has succeeded. */
export type AckMode = 'dispatched' | 'completed'
