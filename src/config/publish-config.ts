import type { BrokerUrl } from '../amqp/broker-url.ts'
import type { QueueType } from '../amqp/topology.ts'
import type { MessageProperties } from '../bridge/ports.ts'
import { readBrokers } from './process-config.ts'
import { OptionReader, type RawOptions } from './reader.ts'
import { flag, integer, messageProperty, oneOf, pair, queueName, shortString } from './values.ts'

/** Where the messages of `fpm-bridge publish` come from. */
export type MessageSource =
  | { readonly kind: 'arguments'; readonly bodies: readonly string[] }
  /** `{n}` in the body stands for 1 to `count`. */
  | { readonly kind: 'template'; readonly body: string; readonly count: number }
  /** Standard input, one message a line. */
  | { readonly kind: 'lines' }

/** Everything `fpm-bridge publish` does follows from this; frozen. */
export interface PublishConfig {
  /** A failover list of one at least. */
  readonly brokers: readonly BrokerUrl[]
  readonly queue: string
  readonly queueType: QueueType
  readonly declare: boolean
  readonly source: MessageSource
  readonly properties: MessageProperties
  readonly verbose: boolean
}

/**
 * @param messages the command's arguments, one body each
 * @throws {OptionError} naming the option at fault, and where its value came from
 */
export function readPublishConfig(options: RawOptions, messages: readonly string[]): PublishConfig {
  const read = new OptionReader(options)
  return Object.freeze({
    brokers: readBrokers(read),
    queue: read.value('queue', queueName),
    queueType: read.value('queue-type', oneOf<QueueType>('classic', 'quorum')),
    declare: read.value('declare', flag),
    source: readSource(read, messages),
    properties: Object.freeze({
      ...Object.fromEntries(read.list('property', messageProperty)),
      contentType: read.value('content-type', shortString),
      headers: Object.freeze(Object.fromEntries(read.list('header', pair))),
    }),
    verbose: read.value('verbose', flag),
  })
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
