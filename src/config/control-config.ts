import type { BrokerUrl } from '../amqp/broker-url.ts'
import { allOf, Faults } from './option-error.ts'
import { optional } from './parse.ts'
import { readBrokers } from './process-config.ts'
import { type GivenOptions, OptionReader } from './reader.ts'
import { daemonId, flag, positiveDuration, queueName, shortString } from './values.ts'

/** What `ps`, `pause`, `resume`, `drain` and `reload` are told; each has some of these options. */
export interface ControlConfig {
  /** A failover list of one at least. */
  readonly brokers: readonly BrokerUrl[]
  /** Undefined: all. */
  readonly queue: string | undefined
  /** Undefined: all. */
  readonly daemon: string | undefined
  readonly reason: string | undefined
  /** Milliseconds; undefined: for ever. */
  readonly for: number | undefined
  readonly wait: boolean
  /** Milliseconds. */
  readonly waitTimeout: number
  readonly json: boolean
}

const OPTIONS = {
  queue: optional(queueName),
  daemon: optional(daemonId),
  reason: optional(shortString),
  for: optional(positiveDuration),
  wait: optional(flag),
  'wait-timeout': optional(positiveDuration),
  json: optional(flag),
}

/** @throws {OptionError} of all that is wrong */
export function readControlConfig(asked: GivenOptions): ControlConfig {
  const read = new OptionReader(asked.options)
  const { brokers, given } = allOf({
    faults: () => new Faults(asked.faults).throwAny(),
    brokers: () => readBrokers(read),
    given: () => read.values(OPTIONS),
  })
  return Object.freeze({
    brokers,
    queue: given.queue,
    daemon: given.daemon,
    reason: given.reason,
    for: given.for,
    wait: given.wait ?? false,
    waitTimeout: given['wait-timeout'] ?? 0,
    json: given.json ?? false,
  })
}
