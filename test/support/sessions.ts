import type { BrokerUrl } from '../../src/amqp/broker-url.ts'
import { Connections } from '../../src/amqp/connections.ts'
import { plainQueue } from '../../src/amqp/queue.ts'
import { Session, type SessionOptions } from '../../src/amqp/session.ts'
import type { Delivery } from '../../src/bridge/ports.ts'

/** How a session consumes the classic queue `queue`, one message at a time, unless told otherwise. */
export function sessionOptions(queue: string, given: Partial<SessionOptions> = {}): SessionOptions {
  const topology = { queues: [plainQueue(queue, 'classic')], declare: true }
  return { topology, queue, consumerTag: 'tag', prefetch: 1, allowTransient: false, ...given }
}

/** A session of the queue `q`, on a connection of its own unless it gets some to choose from. */
export function openSession(
  broker: BrokerUrl,
  accept: (delivery: Delivery) => void,
  options: SessionOptions = sessionOptions('q'),
  connections = new Connections('test'),
): Promise<Session> {
  return connections.open(broker, (lease) => Session.open(lease, options, accept))
}
