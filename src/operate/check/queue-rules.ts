import type { QueueType } from '../../amqp/queue.ts'
import type { QueueArguments, QueueNature } from '../../amqp/queue-nature.ts'

/** What is known of a queue that exists, and what is asked of it. */
export interface KnownQueue {
  readonly name: string
  /** Whether it is consumed from; otherwise it takes the dead letters. */
  readonly consumed: boolean
  readonly nature: QueueNature
  readonly arguments: QueueArguments
  /** What --queue-type says. */
  readonly wanted: QueueType
  /** The broker's major version. */
  readonly major: number
}

interface Rule {
  readonly point: string
  /** @returns what is wrong, and what to do about it */
  readonly of: (queue: KnownQueue) => readonly [text: string, remedy: string] | undefined
}

/** A message that has come back so often is put back as a new one; the broker should not drop it before (docs/operations.md). */
const RETURNS = 10
/** Deliveries after which a quorum queue of RabbitMQ 4 drops a message, if nobody says otherwise. */
const LIMIT_OF_4 = 20

const ANEW = 'when it is empty, delete it, and have it declared anew'

/** What a queue that keeps its messages may do to them all the same. Policies do as much, and are not to be seen. */
export const QUEUE_RULES: readonly Rule[] = [
  {
    point: 'type',
    of: ({ nature: { type }, wanted }) =>
      type === undefined || type === wanted || type === 'stream'
        ? undefined
        : [
            `it is a ${type} queue, and --queue-type is ${wanted}; it is taken as it is`,
            `${ANEW}, or say --queue-type ${type}`,
          ],
  },
  {
    point: 'overflow',
    of: ({ arguments: given }) => {
      const limit = ['x-max-length', 'x-max-length-bytes'].find((key) => given[key] !== undefined)
      const overflow = given['x-overflow'] ?? 'drop-head'
      if (limit === undefined || overflow === 'reject-publish') return undefined
      return [
        `beyond ${limit}=${given[limit]} it drops messages (x-overflow=${overflow})`,
        `${ANEW} without that, or with x-overflow=reject-publish`,
      ]
    },
  },
  {
    point: 'expiry',
    of: ({ arguments: given, consumed }) => {
      const ttl = given['x-message-ttl']
      if (ttl === undefined) return undefined
      const what = consumed ? 'that has not been executed by then' : 'that nobody has looked at by then'
      return [`it drops a message ${what}: x-message-ttl=${ttl} ms`, `${ANEW} without x-message-ttl`]
    },
  },
  {
    point: 'single-consumer',
    of: ({ arguments: given, consumed }) =>
      consumed && given['x-single-active-consumer'] === true
        ? [
            'x-single-active-consumer: of several daemons, one gets messages, and the others wait',
            `${ANEW} without x-single-active-consumer, unless it is for the order of messages`,
          ]
        : undefined,
  },
  {
    point: 'delivery-limit',
    of: ({ name, arguments: given, consumed, nature: { type }, major }) => {
      if (type !== 'quorum') return undefined
      const own = given['x-delivery-limit']
      const limit = own === undefined ? (major >= 4 ? LIMIT_OF_4 : undefined) : Number(own)
      if (limit === undefined || limit < 0) return undefined
      if (!consumed)
        return [
          `whoever has looked at a dead letter ${limit} times loses it (delivery-limit)`,
          own === undefined
            ? `rabbitmqctl set_policy --apply-to queues keep '^${name.replaceAll('.', '\\.')}$' '{"delivery-limit": -1}'`
            : `${ANEW} without x-delivery-limit`,
        ]
      return limit < RETURNS
        ? [
            `it drops a message that has come back ${limit} times, executed or not (x-delivery-limit)`,
            `${ANEW} with x-delivery-limit=${LIMIT_OF_4}, or without one`,
          ]
        : undefined
    },
  },
]
