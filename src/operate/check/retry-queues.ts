import type { Queue } from '../../amqp/queue.ts'
import { differenceFrom, refusalToDeclare } from '../../amqp/queue-look.ts'
import type { Difference } from '../../amqp/queue-nature.ts'
import { countsOf } from '../../amqp/topology.ts'
import type { BridgeConfig } from '../../config/bridge-config.ts'
import type { OpenBroker } from './broker.ts'
import { type Finding, findingsOf } from './finding.ts'
import { quoted } from './shell.ts'

/** Their hand-over is confirmed from that version of RabbitMQ on. */
const LEAST_VERSION = [3, 10] as const

interface Look {
  readonly broker: OpenBroker
  readonly config: BridgeConfig
  readonly rights: string
}

/** How one of them is. */
type RetryQueue = { readonly queue: Queue } & (
  | { readonly kind: 'there'; readonly consumers: number }
  | { readonly kind: 'to-be-declared' | 'missing' }
  | { readonly kind: 'unasked'; readonly consumers: number }
  | { readonly kind: 'not-declarable'; readonly refusal: string }
  | { readonly kind: 'different'; readonly difference: Difference }
)

/**
 * Looks at the queues in which messages rest between two attempts; a bridge has many of them, so those that are as they should be are
 * told in one sentence.
 *
 * @throws {BrokerError}
 */
export async function checkRetryQueues(look: Look, queues: readonly Queue[]): Promise<readonly Finding[]> {
  if (queues.length === 0) return []
  const found = await Promise.all(queues.map((queue) => lookAt(look, queue)))
  const faults = [...ofVersion(look), ...found.flatMap((each) => faultOf(each, look))]
  const fine = found.filter(({ kind }) => kind === 'there' || kind === 'to-be-declared')
  const there = fine.filter(({ kind }) => kind === 'there').length
  const { passed } = findingsOf('queues', `${look.config.queue}.retry.*`)
  const text = `of ${queues.length} retry queues ${there} are there, and ${fine.length - there} will be declared`
  const isFine = fine.length > 0 && faults.every(({ status }) => status !== 'failed')
  return isFine ? [passed('retry', text), ...faults] : faults
}

async function lookAt({ broker: { connection }, config }: Look, queue: Queue): Promise<RetryQueue> {
  const counts = await countsOf(connection, queue)
  if (counts !== undefined) {
    const difference = await differenceFrom(connection, queue)
    if (difference === undefined) return { queue, kind: 'there', consumers: counts.consumers }
    if (difference === 'unknown') return { queue, kind: 'unasked', consumers: counts.consumers }
    return { queue, kind: 'different', difference }
  }
  if (!config.declare) return { queue, kind: 'missing' }
  const refusal = await refusalToDeclare(connection, queue)
  return refusal === undefined
    ? { queue, kind: 'to-be-declared' }
    : { queue, kind: 'not-declarable', refusal }
}

function faultOf(found: RetryQueue, { broker, rights }: Look): readonly Finding[] {
  const { queue } = found
  const { unknown, failed } = findingsOf('queues', queue.name)
  switch (found.kind) {
    case 'to-be-declared':
      return []
    case 'there':
    case 'unasked': {
      const notAsked = unknown(
        'retry',
        'whether it is as it has to be is not known: the user may not configure it, or its name is so long that the broker cuts its answer off',
      )
      return [...(found.kind === 'unasked' ? [notAsked] : []), ...ofConsumers(found.consumers, queue)]
    }
    case 'missing':
      return [
        failed(
          'retry',
          'configuration',
          'it does not exist, and --no-declare forbids to declare it',
          `declare it (durable, ${argumentsText(queue)}), or leave --no-declare out`,
        ),
      ]
    case 'not-declarable':
      return [
        failed(
          'retry',
          'configuration',
          `it does not exist, and the user may not declare it: ${found.refusal}`,
          rights,
        ),
      ]
    case 'different': {
      const { key, value } = found.difference
      const vhost = quoted(broker.url.vhost)
      return [
        failed(
          'retry',
          'configuration',
          `its ${key} is ${told(value)}, and has to be ${told(queue.arguments[key] ?? null)}`,
          `when it is empty: \`rabbitmqctl delete_queue -p ${vhost} --if-empty ${quoted(queue.name)}\`; or choose another --retry-delay or --retry-max-delay`,
        ),
      ]
    }
  }
}

/** @param value null: not set; undefined: who knows */
function told(value: Difference['value']): string {
  return value === null ? 'not set' : value === undefined ? 'another one' : String(value)
}

/** Messages rest there until the broker moves them on. */
function ofConsumers(consumers: number, { name }: Queue): readonly Finding[] {
  if (consumers === 0) return []
  return [
    findingsOf('queues', name).warned(
      'retry-consumers',
      `${consumers} consumers take the messages that rest there before they are repeated`,
      'stop them: nobody consumes from a retry queue',
    ),
  ]
}

function ofVersion({ broker: { version }, config }: Look): readonly Finding[] {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [leastMajor, leastMinor] = LEAST_VERSION
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return []
  return [
    findingsOf('queues', `${config.queue}.retry.*`).failed(
      'retry',
      'configuration',
      `retry queues need RabbitMQ ${LEAST_VERSION.join('.')}, and this is ${version}`,
      'upgrade RabbitMQ, or run with --max-attempts 1 or --ack dispatched',
    ),
  ]
}

function argumentsText({ arguments: given }: Queue): string {
  return Object.entries(given)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ')
}
