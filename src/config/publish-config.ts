import type { BrokerUrl } from '../amqp/broker-url.ts'
import type { QueueType } from '../amqp/topology.ts'
import type { MessageProperties } from '../bridge/ports.ts'
import { allOf, Faults } from './option-error.ts'
import { anyText, optional } from './parse.ts'
import { readBrokers } from './process-config.ts'
import { type GivenOptions, OptionReader } from './reader.ts'
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

/** The options of its own, beside those of its messages. */
const PUBLISH_OPTIONS = {
  queue: queueName,
  'queue-type': oneOf<QueueType>('classic', 'quorum'),
  declare: flag,
  'content-type': shortString,
  verbose: flag,
}

/** Where the messages come from. */
const SOURCE_OPTIONS = {
  body: optional(anyText),
  count: optional(integer(1, Number.MAX_SAFE_INTEGER)),
}

/**
 * @param messages the command's arguments, one body each
 * @throws {OptionError} of all that is wrong, each with its option and where its value came from
 */
export function readPublishConfig(given: GivenOptions, messages: readonly string[]): PublishConfig {
  const read = new OptionReader(given.options)
  const { brokers, values, source, properties, headers } = allOf({
    faults: () => new Faults(given.faults).throwAny(),
    brokers: () => readBrokers(read),
    values: () => read.values(PUBLISH_OPTIONS),
    source: () => readSource(read, messages),
    properties: () => read.list('property', messageProperty),
    headers: () => read.list('header', pair),
  })
  return Object.freeze({
    brokers,
    queue: values.queue,
    queueType: values['queue-type'],
    declare: values.declare,
    source,
    properties: Object.freeze({
      ...Object.fromEntries(properties),
      contentType: values['content-type'],
      headers: Object.freeze(Object.fromEntries(headers)),
    }),
    verbose: values.verbose,
  })
}

function readSource(read: OptionReader, messages: readonly string[]): MessageSource {
  const { body, count } = read.values(SOURCE_OPTIONS)
  if (body === undefined) {
    if (count !== undefined) read.refuse('count', 'needs --body')
    return messages.length > 0 ? { kind: 'arguments', bodies: messages } : { kind: 'lines' }
  }
  if (messages.length > 0) read.refuse('body', 'cannot be given together with messages as arguments')
  return { kind: 'template', body, count: count ?? 1 }
}
