import { statSync } from 'node:fs'
import type { BrokerUrl } from '../../amqp/broker-url.ts'
import type { BridgeConfig } from '../../config/bridge-config.ts'
import { readBridgeConfig } from '../../config/bridge-options.ts'
import { OptionError } from '../../config/option-error.ts'
import { randomDaemonId, readBrokers } from '../../config/process-config.ts'
import { type GivenOptions, OptionReader } from '../../config/reader.ts'
import { readRunConfig } from '../../config/run-config.ts'
import { formatPoolAddress } from '../../fastcgi/address.ts'
import { type Finding, findingsOf } from './finding.ts'
import { quoted } from './shell.ts'

/** What can be looked at. */
export interface Readable {
  readonly brokers: readonly BrokerUrl[]
  readonly bridges: readonly BridgeConfig[]
  readonly control: boolean
  /** Processes; each asks the pool for as much. */
  readonly instances: number
}

export interface ReadConfiguration extends Readable {
  readonly findings: readonly Finding[]
}

/** Others than the owner and its group may read it. */
const READ_BY_ALL = 0o004

const CONFIGURATION = findingsOf('configuration', 'options')

/**
 * Reads the configuration of `run`. Where it is wrong, what is right by itself is looked at all the same.
 *
 * @param unread environment variables that look like options and are none
 */
export function readConfiguration(given: GivenOptions, unread: readonly string[]): ReadConfiguration {
  const { readable, findings } = readAll(given)
  return {
    ...readable,
    findings: [...findings, ...ofEnvironment(unread), ...ofSecrets(given, readable.brokers)],
  }
}

function readAll(given: GivenOptions): { readable: Readable; findings: readonly Finding[] } {
  try {
    const { process, bridges } = readRunConfig(given)
    const { brokers, control, instances } = process
    const readable = { brokers, bridges, control, instances }
    return { readable, findings: bridges.map(describe) }
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    return { readable: readParts(given), findings: complaintsOf(error) }
  }
}

function describe({ name, queue, pool, script, ack, concurrency }: BridgeConfig): Finding {
  return findingsOf('configuration', name).passed(
    'options',
    `queue ${queue} to ${formatPoolAddress(pool)}, ${script}, ack ${ack}, ${concurrency} in flight`,
  )
}

function complaintsOf({ complaints }: OptionError): readonly Finding[] {
  return complaints.map((complaint) =>
    CONFIGURATION.failed(
      'options',
      'configuration',
      complaint,
      'correct it; docs/options.md and `fpm-bridge run --help` have all options',
    ),
  )
}

/** The brokers, and each bridge that is right without the others. */
function readParts({ options, bridges: entries }: GivenOptions): Readable {
  const read = new OptionReader(options)
  const id = randomDaemonId()
  const readers = entries?.map((entry) => new OptionReader(options, entry)) ?? [read]
  return {
    brokers: orNone(() => readBrokers(read)),
    bridges: readers.flatMap((reader) => orNone(() => [readBridgeConfig(reader, id)])),
    control: false,
    instances: 1,
  }
}

function orNone<T>(read: () => readonly T[]): readonly T[] {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    return []
  }
}

function ofEnvironment(unread: readonly string[]): readonly Finding[] {
  const { passed, warned } = CONFIGURATION
  return unread.length === 0
    ? [passed('environment', 'each FPM_BRIDGE_ variable is that of an option')]
    : unread.map((variable) =>
        warned(
          'environment',
          `${variable} is ignored: there is no such option`,
          'correct its name, or unset it',
        ),
      )
}

/** A password that others on this machine may read. */
function ofSecrets({ options }: GivenOptions, brokers: readonly BrokerUrl[]): readonly Finding[] {
  const { passed, warned } = CONFIGURATION
  const url = options.get('url')
  const isSecret = brokers.some(({ sasl }) => sasl.mechanism === 'PLAIN' && sasl.password !== 'guest')
  if (!isSecret) return []
  const path = options.get('config')?.values[0] ?? ''
  if (url?.origin === 'flag')
    return [
      warned(
        'password',
        "the broker's password is on the command line, where each user of this machine can read it (ps)",
        'give the URL by FPM_BRIDGE_URL, by a file that FPM_BRIDGE_URL_FILE names, or in the file of --config',
      ),
    ]
  if (url?.origin === 'file' && isReadByAll(path))
    return [
      warned(
        'password',
        `${path} has the broker's password, and each user of this machine can read it`,
        `\`chmod o-r ${quoted(path)}\``,
      ),
    ]
  return [passed('password', "the broker's password is for this user alone, or its group")]
}

function isReadByAll(path: string): boolean {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0
  return (mode & READ_BY_ALL) !== 0
}
