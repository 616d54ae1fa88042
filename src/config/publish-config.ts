import type { BrokerUrl } from '../amqp/broker-url.ts'
import type { QueueType } from '../amqp/queue.ts'
import type { MessageProperties } from '../bridge/ports.ts'
import { allOf, Faults } from './option-error.ts'
import { anyText, optional } from './parse.ts'
import { readBrokers } from './process-config.ts'
import { type GivenOptions, OptionReader } from './reader.ts'
import {
  flag,
  integer,
  messageProperty,
  oneOf,
  pair,
  positiveDuration,
  queueName,
  shortString,
} from './values.ts'

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
  /** Milliseconds to wait for the answer to each message; undefined: none is asked for. */
  readonly waitReply: number | undefined
}

/** The options of its own, beside those of its messages. */
const PUBLISH_OPTIONS = {
  queue: queueName,
  'queue-type': oneOf<QueueType>('classic', 'quorum'),
  declare: flag,
  'content-type': shortString,
  verbose: flag,
  'wait-reply': optional(positiveDuration),
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
export function readPublishConfig(asked: GivenOptions, messages: readonly string[]): PublishConfig {
  const read = new OptionReader(asked.options)
  const { brokers, values, source, properties, headers } = allOf({
    faults: () => new Faults(asked.faults).throwAny(),
    brokers: () => readBrokers(read),
    values: () => readValues(read, asked),
    source: () => readSource(read, messages),
    properties: () => read.list('property', messageProperty),
    headers: () => read.list('header', pair),
  })
  const given = new Map(properties)
  if (values['wait-reply'] !== undefined) refuseUnanswerable(read, source, given)
  return Object.freeze({
    brokers,
    queue: values.queue,
    queueType: values['queue-type'],
    declare: values.declare,
    source,
    properties: Object.freeze({
      ...Object.fromEntries(given),
      contentType: values['content-type'],
      headers: Object.freeze(Object.fromEntries(headers)),
    }),
    verbose: values.verbose,
    waitReply: values['wait-reply'],
  })
}

/** Answers that would go elsewhere, or could not be told apart. */
function refuseUnanswerable(
  read: OptionReader,
  source: MessageSource,
  properties: ReadonlyMap<keyof MessageProperties, unknown>,
): void {
  if (properties.has('replyTo'))
    read.refuse(
      'wait-reply',
      'cannot be given together with --property reply_to: answers come to the command',
    )
  if (properties.has('correlationId') && !isSingle(source))
    read.refuse(
      'wait-reply',
      'with --property correlation_id takes one message: answers are told apart by it',
    )
}

function isSingle(source: MessageSource): boolean {
  switch (source.kind) {
    case 'arguments':
      return source.bodies.length === 1
    case 'template':
      return source.count === 1
    case 'lines':
      return false
  }
}

/** Which of several bridges' queues is meant, nobody knows. */
function readValues(read: OptionReader, { options, bridges }: GivenOptions) {
  if (bridges !== undefined && !options.has('queue'))
    read.refuse('queue', 'is required: the file has several bridges, each with its queue')
  return read.values(PUBLISH_OPTIONS)
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
