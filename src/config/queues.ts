import { delayQueue, plainQueue, type Queue } from '../amqp/queue.ts'
import { retryDelays, retryQueue } from '../bridge/retry.ts'
import type { BridgeConfig } from './bridge-config.ts'

/** The queues a bridge needs: at once, and when the first message has to rest for that long. */
export function queuesOf(config: BridgeConfig): { always: readonly Queue[]; atNeed: readonly Queue[] } {
  const { queue, deadLetterQueue, queueType, maxAttempts } = config
  const delays = maxAttempts > 1 ? retryDelays(config) : []
  return {
    always: [queue, deadLetterQueue].map((name) => plainQueue(name, queueType)),
    atNeed: delays.map((delay) => delayQueue(retryQueue(queue, delay), delay, queue)),
  }
}
