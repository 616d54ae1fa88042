import type { MessageProperties } from '../bridge/ports.ts'
import type { BridgeConfig } from './bridge-config.ts'
import { readBridgeConfig } from './bridge-options.ts'
import { allOf, Faults, OptionError } from './option-error.ts'
import { anyText, optional } from './parse.ts'
import { randomDaemonId } from './process-config.ts'
import { type BridgeEntry, type GivenOptions, OptionReader, type RawOptions } from './reader.ts'
import { daemonId, defaultBridgeName, flag, integer, messageProperty, pair, shortString } from './values.ts'

/** Where the message of `fpm-bridge invoke` comes from. */
export type BodySource =
  | { readonly kind: 'argument'; readonly body: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'input' }

/** Everything `fpm-bridge invoke` does follows from this; frozen. */
export interface InvokeConfig {
  readonly bridge: BridgeConfig
  readonly source: BodySource
  readonly properties: MessageProperties
  /** The number of the execution, from 1. */
  readonly attempt: number
  /** Undefined: once, with all that is to be told of it. */
  readonly repeat: number | undefined
  readonly json: boolean
}

const INVOKE_OPTIONS = {
  'daemon-id': optional(daemonId),
  'content-type': shortString,
  attempt: integer(1, 1_000_000),
  repeat: optional(integer(1, 1_000_000_000)),
  json: flag,
}

/** Bytes of an answer and its stderr: JSON may take six for each, and the longest string has 512 MiB. */
const MOST_AS_JSON = 64 * 1024 ** 2

/**
 * @param words the command's arguments: the message, if it is one
 * @throws {OptionError} of all that is wrong, each with its option and where its value came from
 */
export function readInvokeConfig(asked: GivenOptions, words: readonly string[]): InvokeConfig {
  const read = new OptionReader(asked.options)
  const { given, bridge, source, properties, headers } = allOf({
    faults: () => new Faults(asked.faults).throwAny(),
    given: () => read.values(INVOKE_OPTIONS),
    bridge: () =>
      readBridgeConfig(bridgeReader(asked), asked.options.get('daemon-id')?.values[0] ?? randomDaemonId()),
    source: () => readSource(read, words),
    properties: () => read.list('property', messageProperty),
    headers: () => read.list('header', pair),
  })
  if (given.attempt > 1 && bridge.ack !== 'completed') read.refuse('attempt', 'above 1 needs --ack completed')
  if (given.attempt > bridge.maxAttempts)
    read.refuse('attempt', `is above --max-attempts ${bridge.maxAttempts}`)
  if (given.json && given.repeat === undefined && bridge.maxResponse + bridge.maxStderr > MOST_AS_JSON)
    read.refuse('json', 'is for answers of at most 64MiB: --max-response and --max-stderr together')
  return Object.freeze({
    bridge,
    source,
    properties: Object.freeze({
      ...Object.fromEntries(properties),
      contentType: given['content-type'],
      ...(headers.length > 0 && { headers: Object.freeze(Object.fromEntries(headers)) }),
    }),
    attempt: given.attempt,
    repeat: given.repeat,
    json: given.json,
  })
}

/** Nothing is delivered here, so it does not matter how much of it: `--concurrency` alone would contradict what a file says. */
const WITHOUT_MEANING = 'prefetch'

/** @returns a reader of the one bridge that is meant */
function bridgeReader({ options, bridges }: GivenOptions): OptionReader {
  const shared = without(options, (name) => name === WITHOUT_MEANING)
  if (bridges === undefined) return new OptionReader(shared)
  const queue = options.get('queue')
  if (queue !== undefined)
    new OptionReader(options).refuse('queue', 'belongs to one bridge of the file, which --name picks')
  const entry = pick(bridges, options)
  // Of one bridge alone it is clear what a flag is for: it outweighs the file.
  const isFlag = (name: string): boolean => options.get(name)?.origin === 'flag' && name !== 'name'
  const own = without(entry.own, (name) => name === WITHOUT_MEANING || isFlag(name))
  return new OptionReader(
    without(shared, (name) => name === 'name'),
    { ...entry, own },
  )
}

function pick(bridges: readonly BridgeEntry[], options: RawOptions): BridgeEntry {
  const name = options.get('name')?.values[0]
  const [only, ...others] = bridges
  const picked =
    name === undefined && others.length === 0 ? only : bridges.find((each) => nameOf(each) === name)
  if (picked !== undefined) return picked
  const names = bridges.map((each) => JSON.stringify(nameOf(each))).join(', ')
  if (name === undefined)
    throw new OptionError(`--name is required: the file has several bridges, ${names}`, 64)
  return new OptionReader(options).refuse('name', `is that of no bridge of the file; there are ${names}`)
}

function nameOf({ own }: BridgeEntry): string {
  return own.get('name')?.values[0] ?? defaultBridgeName(own.get('queue')?.values[0] ?? '')
}

function without(options: RawOptions, isOut: (name: string) => boolean): RawOptions {
  return new Map([...options].filter(([name]) => !isOut(name)))
}

function readSource(read: OptionReader, words: readonly string[]): BodySource {
  const path = read.optional('file', optional(anyText))
  const [body, ...others] = words
  if (others.length > 0)
    throw new OptionError(`invoke takes one message, not ${words.length}; is it in quotes?`, 64)
  if (path === undefined) return body === undefined ? { kind: 'input' } : { kind: 'argument', body }
  if (body !== undefined) return read.refuse('file', 'cannot be given together with a message as an argument')
  return path === '-' ? { kind: 'input' } : { kind: 'file', path }
}
