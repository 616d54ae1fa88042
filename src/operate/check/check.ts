import { BrokerError } from '../../amqp/broker-error.ts'
import { timeOf } from '../../amqp/broker-time.ts'
import { formatBrokerUrl } from '../../amqp/broker-url.ts'
import { closeConnection } from '../../amqp/connection.ts'
import { demandsOf, type PoolDemand } from '../../config/pool-demands.ts'
import type { GivenOptions } from '../../config/reader.ts'
import { checkBrokers, checkPublishing, type OpenBroker } from './broker.ts'
import { type ClockReading, checkBrokerClock, checkPoolClock } from './clocks.ts'
import { type Readable, readConfiguration } from './configuration.ts'
import type { Credentials } from './credentials.ts'
import { type Finding, findingsOf } from './finding.ts'
import { checkPool, type PoolWords } from './pool.ts'
import { checkQueues } from './queues.ts'
import { rightsCommand } from './rights.ts'
import { checkScript } from './script.ts'
import { checkSocket } from './socket.ts'

export interface CheckInput {
  /** The options of `run`. */
  readonly given: GivenOptions
  /** Environment variables that look like options and are none. */
  readonly unread: readonly string[]
  /** Who the sockets are to be open for; undefined where nobody knows. */
  readonly who: Credentials | undefined
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Whether the script may be executed, to see whether it answers. */
  readonly probe: boolean
  /** Of fpm-bridge. */
  readonly version: string
}

/**
 * Looks at everything that a daemon with these options would need, and changes nothing. What cannot be looked at is said to be unknown; no
 * failure keeps it from the rest.
 *
 * @returns findings as they come, area by area
 */
export async function* check(input: CheckInput): AsyncGenerator<Finding> {
  const { findings, ...readable } = readConfiguration(input.given, input.unread)
  yield* findings
  // Both take their time, mostly until somebody does not answer.
  const pools = demandsOf(readable.bridges).map((demand) =>
    lookAtPool({ ...demand, concurrency: demand.concurrency * readable.instances }, input),
  )
  const brokers = lookAtBrokers(readable, input)
  for (const look of [brokers, ...pools]) look.catch(() => {})
  yield* await brokers
  for (const look of pools) yield* await look
}

async function lookAtBrokers(readable: Readable, input: CheckInput): Promise<readonly Finding[]> {
  const { findings, open } = await checkBrokers(readable.brokers, input.now())
  const [first] = open
  try {
    if (first !== undefined) return [...findings, ...(await lookAtQueues(first, readable, input))]
    const queues = readable.bridges.map(({ queue }) =>
      findingsOf('queues', queue).unknown('exists', 'without a broker it cannot be looked at'),
    )
    return [...findings, ...queues]
  } finally {
    await Promise.all(open.map(({ connection }) => closeConnection(connection)))
  }
}

async function lookAtQueues(
  broker: OpenBroker,
  { bridges, control }: Readable,
  { probe, now }: CheckInput,
): Promise<readonly Finding[]> {
  const rights = rightsCommand(broker.url, bridges, control)
  const publishing = await checkPublishing(broker, rights)
  const findings: Finding[] = [publishing]
  // One after the other: a connection has so many channels.
  for (const bridge of bridges) findings.push(...(await checkQueues(broker, bridge, rights, control)))
  const clock = probe ? await clockOfBroker(broker, now) : 'unasked'
  return [...findings, checkBrokerClock(formatBrokerUrl(broker.url), clock)]
}

async function lookAtPool(demand: PoolDemand, input: CheckInput): Promise<readonly Finding[]> {
  const { pool, bridges } = demand
  const address = bridges[0]?.pool
  if (address === undefined) return []
  const { findings, isOpen } = await checkSocket(address, input.who)
  if (!isOpen)
    return [
      ...findings,
      findingsOf('pool', pool).unknown('answers', 'without a connection it cannot be asked'),
    ]
  const words = await checkPool(demand)
  const clock = checkPoolClock(pool, clockOf(words, input.now()))
  const scripts: Finding[] = []
  const named = words.answers ? new Set(bridges.map(({ script }) => script)) : []
  // One after the other: a pool may have one child.
  for (const script of named) {
    const those = bridges.filter((bridge) => bridge.script === script)
    scripts.push(...(await checkScript(those, demand.concurrency, input)))
  }
  return [...findings, ...words.findings, clock, ...scripts]
}

async function clockOfBroker(
  { connection }: OpenBroker,
  now: CheckInput['now'],
): Promise<ClockReading | undefined> {
  const theirs = await timeOf(connection).catch((error: unknown) => {
    if (error instanceof BrokerError) return undefined
    throw error
  })
  return theirs === undefined ? undefined : { theirs, ours: now() / 1_000 }
}

function clockOf({ status }: PoolWords, ours: number): ClockReading | undefined {
  return status && { theirs: status.startTime + status.startSince, ours: ours / 1_000 }
}
