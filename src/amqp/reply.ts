import type { BrokerErrorCode } from './broker-error-code.ts'

/** Why the broker has closed a channel or a connection (AMQP 0-9-1, channel.close and connection.close). */
export interface Reply {
  readonly code: number
  /** At most 255 bytes: RabbitMQ cuts off what is longer, and ends it with `...`. */
  readonly text: string
}

export interface Meaning {
  readonly code: BrokerErrorCode
  /** What to do, where the text does not say it. */
  readonly remedy: string | undefined
}

type Row = readonly [code: number, text: RegExp, meaning: BrokerErrorCode, remedy?: string]

const LIMIT = 'close other connections, or raise the limit'
/** What to do about a queue that does not answer. */
export const SILENT_QUEUE =
  'a quorum queue needs most of its nodes: start them; if it is lost for good (rabbitmq-queues quorum_status), delete it'

/**
 * The first row that fits decides. One code has several meanings, some of which pass by themselves; the texts are those of RabbitMQ
 * 3.10 to 4.3 (rabbit_reader, rabbit_access_control, rabbit_amqqueue, rabbit_channel, rabbit_quorum_queue). In doubt it passes.
 */
const MEANINGS: readonly Row[] = [
  // The broker gives no other reason than that it is in its log.
  [403, /Login was refused/, 'LOGIN_REFUSED'],
  [530, /^NOT_ALLOWED - vhost .* not found$/s, 'VHOST_REFUSED', 'change the vhost in --url, or add it'],
  [
    530,
    /^NOT_ALLOWED - access to vhost '.*' refused for user '[^']*'$/s,
    'VHOST_REFUSED',
    'give the user rights there (rabbitmqctl set_permissions), or change the vhost in --url',
  ],
  [530, /connection limit|number of channels opened/, 'UNREACHABLE', LIMIT],
  [541, /vhost '.*' is down/s, 'UNREACHABLE', 'rabbitmqctl restart_vhost starts it again'],
  [404, /^NOT_FOUND - no queue '/, 'QUEUE_MISSING'],
  [
    404,
    /is down or inaccessible/,
    'UNREACHABLE',
    'a classic queue lives on one node: start that; if it is lost for good, delete the queue',
  ],
  [
    404,
    /stopped by supervisor|has crashed/,
    'UNREACHABLE',
    "see the broker's log; its node has to be restarted",
  ],
  [404, /failed to perform operation/, 'UNREACHABLE', SILENT_QUEUE],
  [403, /in exclusive use/, 'UNREACHABLE', 'another consumer has it to itself: stop that'],
  [403, /returned an error/, 'UNREACHABLE', "the broker's authorization backend fails; see the broker's log"],
  [403, /access to .* refused/s, 'QUEUE_REFUSED', 'give the user that right (rabbitmqctl set_permissions)'],
  [
    405,
    /cannot obtain exclusive access/,
    'QUEUE_REFUSED',
    'it is exclusive to another connection, and goes with it and all messages in it: take another queue',
  ],
  [406, /queue limit in vhost/, 'UNREACHABLE', 'delete queues, or raise the limit'],
  [406, /inequivalent arg|invalid arg/, 'QUEUE_REFUSED'],
  [541, /timeout occurred|timed out|Cannot declare/i, 'UNREACHABLE', SILENT_QUEUE],
]

export function meaningOf({ code, text }: Reply): Meaning {
  const row = MEANINGS.find(([of, pattern]) => of === code && pattern.test(text))
  return row === undefined ? { code: 'UNREACHABLE', remedy: undefined } : { code: row[2], remedy: row[3] }
}

export function withRemedy(text: string, remedy: string | undefined): string {
  return remedy === undefined ? text : `${text}; ${remedy}`
}

/** What the broker said, if it did, in an error of amqplib's: it keeps the code, and quotes the text in its message. */
export function replyOf(error: unknown): Reply | undefined {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'number')) return undefined
  const quoted = / with message "(.*)"$/s.exec(error.message)
  return { code: error.code, text: quoted?.[1] ?? error.message }
}
