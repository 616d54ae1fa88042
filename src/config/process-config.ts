import { randomBytes } from 'node:crypto'
import { type BrokerUrl, parseBrokerUrl } from '../amqp/broker-url.ts'
import type { LogLevel } from '../bridge/ports.ts'
import type { LogFormat } from '../observe/logger.ts'
import type { OptionReader } from './reader.ts'
import { readTls, refuseTls } from './tls.ts'
import { daemonId, duration, oneOf } from './values.ts'

/** What belongs to the process, whatever bridges it has. */
export interface ProcessConfig {
  /** A failover list of one at least. */
  readonly brokers: readonly BrokerUrl[]
  readonly daemonId: string
  /** Milliseconds. */
  readonly drainTimeout: number
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
}

/**
 * @param inUse the daemon id of a process that reads its configuration again: one that was made up stays
 * @throws {OptionError}
 */
export function readProcessConfig(read: OptionReader, inUse?: string): ProcessConfig {
  return Object.freeze({
    brokers: readBrokers(read),
    daemonId: read.optional('daemon-id', daemonId) ?? inUse ?? randomDaemonId(),
    drainTimeout: read.value('drain-timeout', duration),
    logLevel: read.value('log-level', oneOf<LogLevel>('error', 'warn', 'info', 'debug')),
    logFormat: read.value('log-format', oneOf<LogFormat>('auto', 'json', 'text')),
  })
}

/**
 * @returns the failover list, one at least
 * @throws {OptionError}
 */
export function readBrokers(read: OptionReader): readonly BrokerUrl[] {
  const tls = readTls(read)
  const brokers = read.secrets('url', (text) => parseBrokerUrl(text, tls))
  if (!brokers.some((broker) => broker.tls !== undefined)) refuseTls(read, tls)
  return Object.freeze(brokers)
}

/** Two daemons with one id could not be told apart; 32 random bits are enough for any fleet. */
function randomDaemonId(): string {
  return `D-${randomBytes(4).toString('hex')}`
}
