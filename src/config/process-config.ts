import { randomBytes } from 'node:crypto'
import { type BrokerUrl, parseBrokerUrl } from '../amqp/broker-url.ts'
import type { LogFormat, LogLevel, LogMessages } from '../observe/logger.ts'
import { ADMIN_OPTIONS, type AdminConfig, readAdmin } from './admin.ts'
import { allOf } from './option-error.ts'
import { optional } from './parse.ts'
import type { OptionReader } from './reader.ts'
import { readTls, refuseTls } from './tls.ts'
import { daemonId, duration, filePath, flag, integer, oneOf, size } from './values.ts'

/** What belongs to the process, whatever bridges it has. */
export interface ProcessConfig {
  /** A failover list of one at least. */
  readonly brokers: readonly BrokerUrl[]
  readonly daemonId: string
  /** Milliseconds. */
  readonly drainTimeout: number
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
  readonly logMessages: LogMessages
  /** Undefined: no web server. */
  readonly admin: AdminConfig | undefined
  /** Whether operators can tell it what to do by way of the broker. */
  readonly control: boolean
  /** Processes, from 1. */
  readonly instances: number
  /** Of deliveries that a process has come to the end of before another one takes its place. */
  readonly maxMessages: number | undefined
  /** Bytes of resident memory from which on another process takes the place of one. */
  readonly maxMemory: number | undefined
  /** Where a record of each process is appended. */
  readonly recordFile: string | undefined
}

/** Bytes. A process that has just started takes more than half of it. */
const LEAST_MEMORY = 128 * 1024 ** 2

/** The options of the process, beside those of its brokers. */
export const PROCESS_OPTIONS = {
  'daemon-id': optional(daemonId),
  'drain-timeout': duration,
  'log-level': oneOf<LogLevel>('error', 'warn', 'info', 'debug'),
  'log-format': oneOf<LogFormat>('auto', 'json', 'text'),
  'log-messages': oneOf<LogMessages>('all', 'failures'),
  ...ADMIN_OPTIONS,
  control: flag,
  instances: integer(1, 64),
  'max-messages': optional(integer(1, 1_000_000_000)),
  'max-memory': optional(size(LEAST_MEMORY, 2 ** 44)),
  'record-file': optional(filePath),
}

/**
 * @param madeUpId stands in for `--daemon-id`
 * @throws {OptionError} of all that is wrong
 */
export function readProcessConfig(read: OptionReader, madeUpId: string): ProcessConfig {
  const { brokers, given, admin } = allOf({
    brokers: () => readBrokers(read),
    given: () => read.values(PROCESS_OPTIONS),
    admin: () => readAdmin(read),
  })
  return Object.freeze({
    brokers,
    daemonId: given['daemon-id'] ?? madeUpId,
    drainTimeout: given['drain-timeout'],
    logLevel: given['log-level'],
    logFormat: given['log-format'],
    logMessages: given['log-messages'],
    admin,
    control: given.control,
    instances: given.instances,
    maxMessages: given['max-messages'],
    maxMemory: given['max-memory'],
    recordFile: given['record-file'],
  })
}

/**
 * @returns the failover list, one at least
 * @throws {OptionError} of all that is wrong
 */
export function readBrokers(read: OptionReader): readonly BrokerUrl[] {
  // How somebody logs in depends on the certificates. A URL that is wrong is so whatever they are.
  const { tls } = allOf({
    tls: () => readTls(read),
    urls: () => read.secrets('url', (text) => parseBrokerUrl(text)),
  })
  const brokers = read.secrets('url', (text) => parseBrokerUrl(text, tls))
  if (!brokers.some((broker) => broker.tls !== undefined)) refuseTls(read, tls)
  return Object.freeze(brokers)
}

/** Two daemons with one id could not be told apart; 32 random bits are enough for any fleet. */
export function randomDaemonId(): string {
  return `D-${randomBytes(4).toString('hex')}`
}
