import type { BrokerList } from '../../amqp/broker-list.ts'
import { Connections } from '../../amqp/connections.ts'
import { ConfirmPublisher } from '../../amqp/publisher.ts'
import type { Tell } from '../../bridge/events.ts'

/** A queue of dead letters, and how to reach it. */
export interface Place {
  readonly brokers: BrokerList
  readonly connections: Connections
  readonly queue: string
  /** Connects at first need. */
  readonly publisher: ConfirmPublisher
  /** How often a message may come back, where the operator knows of a policy that the broker tells nobody of. */
  readonly deliveryLimit: number | undefined
}

/** @param deliveryLimit undefined: as the queue says */
export function placeOf(
  brokers: BrokerList,
  queue: string,
  deliveryLimit: number | undefined,
  tell: Tell,
): Place {
  const connections = new Connections('fpm-bridge dead-letters')
  // Nothing is declared: a queue that is misspelt must not come to be.
  const topology = { queues: [], declare: false }
  const publishing = new Connections('fpm-bridge dead-letters, publishing')
  const publisher = new ConfirmPublisher({ brokers, connections: publishing, topology }, tell)
  return { brokers, connections, queue, publisher, deliveryLimit }
}
