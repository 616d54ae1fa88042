import type { ConsumeMessage } from 'amqplib'
import { readHeaders } from './received-headers.ts'

/**
 * Where a caller consumes, and what it names in `reply_to` (https://www.rabbitmq.com/docs/direct-reply-to). It is no queue: the broker
 * makes of it an address of the channel, which must be the same for both.
 */
export const DIRECT_REPLY_TO = 'amq.rabbitmq.reply-to'

/** What came back for a message that asked for an answer. */
export interface Answer {
  /** Empty where there is none. */
  readonly correlationId: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: Buffer
}

export function answerOf({ properties, content }: ConsumeMessage): Answer {
  readHeaders(properties)
  const { correlationId, headers } = properties
  return { correlationId: String(correlationId ?? ''), headers: headers ?? {}, body: content }
}
