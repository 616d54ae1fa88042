import { BrokerError } from '../../amqp/broker-error.ts'
import { markerOf } from '../../amqp/marker-queue.ts'
import { plainQueue, type Queue } from '../../amqp/queue.ts'
import { judge } from '../../amqp/queue-fitness.ts'
import { argumentsOf, refusalToConsume, refusalToDeclare } from '../../amqp/queue-look.ts'
import { natureOf } from '../../amqp/queue-nature.ts'
import { countsOf } from '../../amqp/topology.ts'
import type { BridgeConfig } from '../../config/bridge-config.ts'
import { queuesOf } from '../../config/queues.ts'
import type { OpenBroker } from './broker.ts'
import { type Finder, type Finding, findingsOf, inTwo } from './finding.ts'
import { QUEUE_RULES } from './queue-rules.ts'
import { checkRetryQueues } from './retry-queues.ts'
import { quoted } from './shell.ts'

/** Milliseconds that RabbitMQ waits for an ack, if nobody says otherwise. */
const USUAL_CONSUMER_TIMEOUT = 30 * 60_000

/**
 * Looks at the queues of a bridge. None is declared, and nothing is published or taken.
 *
 * @param rights the command that gives the user all rights
 * @param control whether the daemon leaves a queue alone that operators have paused
 */
export async function checkQueues(
  broker: OpenBroker,
  config: BridgeConfig,
  rights: string,
  control: boolean,
): Promise<readonly Finding[]> {
  const { always, atNeed } = queuesOf(config)
  const looks = await Promise.all([
    ...always.map((queue) =>
      orError(queue.name, () =>
        checkQueue({ broker, config, rights, queue }, findingsOf('queues', queue.name)),
      ),
    ),
    orError(config.queue, () => checkRetryQueues({ broker, config, rights }, atNeed)),
  ])
  const [first = [], ...others] = looks
  const marker = control ? await orError(config.queue, () => ofPause(broker, config)) : []
  return [...first, ...marker, ofPatience(config), ...others.flat()]
}

/** What is to be looked at, and by whom. */
interface Look {
  readonly broker: OpenBroker
  readonly config: BridgeConfig
  readonly rights: string
  readonly queue: Queue
}

async function orError(
  subject: string,
  look: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await look()
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    const [text, remedy] = inTwo(error.message, "see the broker's log")
    const fault = error.permanent ? 'configuration' : 'unavailable'
    return [findingsOf('queues', subject).failed('exists', fault, text, remedy)]
  }
}

async function checkQueue(look: Look, finder: Finder): Promise<readonly Finding[]> {
  const { broker, config, queue } = look
  const counts = await countsOf(broker.connection, queue)
  if (counts === undefined) return [await ofMissing(look, finder), ...(await ofConsuming(look, finder))]
  const { messages, consumers } = counts
  const exists = finder.passed(
    'exists',
    `it exists, with ${counted(messages, 'message')} and ${counted(consumers, 'consumer')}`,
  )
  const nature = await natureOf(broker.connection, queue, false)
  const kept = ofKeeping(look, finder, nature)
  const known = nature && {
    name: queue.name,
    consumed: queue.name === config.queue,
    nature,
    arguments: await argumentsOf(broker.connection, queue, nature),
    wanted: config.queueType,
    major: Number.parseInt(broker.version, 10),
  }
  const rules = known === undefined ? [] : QUEUE_RULES.map(({ point, of }) => ({ point, fault: of(known) }))
  const warnings = rules.map(({ point, fault }) =>
    fault === undefined ? finder.passed(point, PASSED[point] ?? point) : finder.warned(point, ...fault),
  )
  return [exists, kept, ...warnings, ...(await ofConsuming(look, finder))]
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** What is said of a rule that finds nothing. */
const PASSED: Readonly<Record<string, string>> = {
  type: 'it has the type that is asked for',
  overflow: 'it drops no messages when it is full',
  expiry: 'its messages do not expire',
  'single-consumer': 'several daemons may consume',
  'delivery-limit': 'what comes back is not dropped too early',
}

async function ofMissing(
  { broker, config, rights, queue }: Look,
  { passed, failed }: Finder,
): Promise<Finding> {
  const as = `durable, ${config.queueType}`
  if (!config.declare)
    return failed(
      'exists',
      'configuration',
      'it does not exist, and --no-declare forbids to declare it',
      `declare it (${as}), or leave --no-declare out`,
    )
  const refusal = await refusalToDeclare(broker.connection, queue)
  return refusal === undefined
    ? passed('exists', `it does not exist yet; the daemon will declare it (${as})`)
    : failed(
        'exists',
        'configuration',
        `it does not exist, and the user may not declare it: ${refusal}`,
        rights,
      )
}

/** Whether it keeps its messages. */
function ofKeeping(
  { config, queue }: Look,
  { passed, warned, unknown, failed }: Finder,
  nature: Awaited<ReturnType<typeof natureOf>>,
): Finding {
  try {
    const demands = { consumed: config.queue, allowTransient: config.allowTransientQueue }
    const finding = judge(queue, nature, demands)
    if (finding === undefined)
      return passed('keeps', `it is durable, and keeps its messages (${nature?.type})`)
    if (finding.kind === 'unknown')
      return unknown('keeps', finding.reason, 'the right to configure it would tell')
    return warned('keeps', finding.reason, 'it is taken all the same: --allow-transient-queue')
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    const { message } = error
    const at = message.lastIndexOf('. ')
    return failed('keeps', 'configuration', message.slice(0, at), message.slice(at + 2))
  }
}

/** Only of the queue that is consumed. */
async function ofConsuming(
  { broker, config, rights, queue }: Look,
  { passed, failed }: Finder,
): Promise<readonly Finding[]> {
  if (queue.name !== config.queue) return []
  const refusal = await refusalToConsume(broker.connection, queue.name)
  return [
    refusal === undefined
      ? passed('consume', 'the user may consume')
      : failed('consume', 'configuration', `the user may not consume: ${refusal}`, rights),
  ]
}

/** Whether operators have paused the queue: a queue beside it says so (docs/control.md). */
async function ofPause({ connection }: OpenBroker, { queue }: BridgeConfig): Promise<readonly Finding[]> {
  const { passed, warned } = findingsOf('queues', queue)
  const marker = markerOf(queue)
  const isPaused =
    marker !== undefined && (await countsOf(connection, plainQueue(marker, 'classic'))) !== undefined
  return [
    isPaused
      ? warned(
          'paused',
          `it is paused: there is a queue ${marker}`,
          `\`fpm-bridge resume --queue ${quoted(queue)}\``,
        )
      : passed('paused', 'nobody has paused it'),
  ]
}

/** The broker tells its consumer_timeout nobody: what it usually is has to do. */
function ofPatience({ queue, consumerTimeout }: BridgeConfig): Finding {
  const { warned, unknown } = findingsOf('queues', queue)
  const usual = `${USUAL_CONSUMER_TIMEOUT / 60_000} minutes`
  if (consumerTimeout === 0 || consumerTimeout > USUAL_CONSUMER_TIMEOUT)
    return warned(
      'consumer-timeout',
      `--consumer-timeout is ${consumerTimeout === 0 ? '0 (for ever)' : `${consumerTimeout / 60_000} minutes`}, and RabbitMQ waits ${usual} for an ack, unless its consumer_timeout says otherwise: it closes the channel of what takes longer`,
      `raise consumer_timeout in rabbitmq.conf to as much, or say --consumer-timeout 30m`,
    )
  return unknown(
    'consumer-timeout',
    `RabbitMQ tells nobody how long it waits for an ack; usually it is ${usual}, which is enough`,
    'if consumer_timeout is set in rabbitmq.conf, give --consumer-timeout the same',
  )
}
