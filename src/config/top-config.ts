import type { BrokerUrl } from '../amqp/broker-url.ts'
import type { PoolAddress } from '../fastcgi/address.ts'
import { adminAddress, readToken } from './admin.ts'
import { allOf, Faults } from './option-error.ts'
import { anyText, optional } from './parse.ts'
import { readBrokers } from './process-config.ts'
import { type GivenOptions, OptionReader } from './reader.ts'
import { flag, queueName } from './values.ts'

/** Where `fpm-bridge top` sees its fleet from. */
export type TopSource =
  | { readonly kind: 'broker'; readonly brokers: readonly BrokerUrl[] }
  | { readonly kind: 'admin'; readonly address: PoolAddress; readonly token: string | undefined }

/** Everything `fpm-bridge top` does follows from this; frozen. */
export interface TopConfig {
  readonly source: TopSource
  /** Undefined: all. */
  readonly queue: string | undefined
  /** One picture. */
  readonly once: boolean
}

const OPTIONS = {
  queue: optional(queueName),
  once: flag,
}

/** @throws {OptionError} of all that is wrong */
export function readTopConfig(asked: GivenOptions): TopConfig {
  const read = new OptionReader(asked.options)
  const { given, source } = allOf({
    faults: () => new Faults(asked.faults).throwAny(),
    given: () => read.values(OPTIONS),
    source: () => readSource(read),
  })
  if (source.kind === 'admin' && given.queue !== undefined)
    read.refuse('queue', 'cannot be given together with --admin, which shows what a process has')
  return Object.freeze({ source, queue: given.queue, once: given.once })
}

function readSource(read: OptionReader): TopSource {
  const address = read.optional('admin', optional(adminAddress))
  const tokenFile = read.optional('admin-token-file', optional(anyText))
  if (address !== undefined)
    return { kind: 'admin', address, token: tokenFile === undefined ? undefined : readToken(read, tokenFile) }
  if (tokenFile !== undefined) read.refuse('admin-token-file', 'needs --admin')
  return { kind: 'broker', brokers: readBrokers(read) }
}
