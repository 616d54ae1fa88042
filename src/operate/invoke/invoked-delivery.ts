import { randomUUID } from 'node:crypto'
import { consumerTagOf } from '../../amqp/consumer-tag.ts'
import { ATTEMPT_HEADER } from '../../bridge/headers.ts'
import type { Delivery, MessageProperties } from '../../bridge/ports.ts'
import type { BridgeConfig } from '../../config/bridge-config.ts'

/** A message that nobody has published. */
export interface InvokedMessage {
  readonly body: Buffer
  /** As its publisher would set them. A message id, a timestamp and a delivery mode that are missing are those that `publish` would give it. */
  readonly properties: MessageProperties
  /** The number of its execution, from 1. Beyond `maxAttempts` it is that. */
  readonly attempt: number
}

/** The message as a consumer of the bridge's queue would get it: by way of the default exchange, from a session that never ends. */
export function deliveryOf({ body, properties, attempt }: InvokedMessage, config: BridgeConfig): Delivery {
  const { daemonId, listed, name, queue } = config
  // Of a repetition the copy says how often the message has been executed.
  const headers = attempt > 1 ? { ...properties.headers, [ATTEMPT_HEADER]: attempt - 1 } : properties.headers
  return {
    deliveryTag: 1,
    consumerTag: consumerTagOf(daemonId, listed ? name : undefined),
    redelivered: false,
    exchange: '',
    routingKey: queue,
    properties: {
      messageId: randomUUID(),
      timestamp: Math.floor(Date.now() / 1_000),
      deliveryMode: 2,
      ...properties,
      headers,
    },
    body,
    headerFields: () => [],
    receivedAt: performance.now(),
    live: true,
    ack() {},
    requeue() {},
  }
}
