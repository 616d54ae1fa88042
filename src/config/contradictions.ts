import { maxWait } from '../bridge/patience.ts'
import { retryDelays, retryQueue } from '../bridge/retry.ts'
import type { BridgeConfig } from './bridge-config.ts'
import type { OptionReader } from './reader.ts'
import { SHORT_STRING_BYTES } from './values.ts'

/** Options that say something about retries. */
const ONLY_COMPLETED = ['max-attempts', 'retry-delay', 'retry-max-delay', 'require-marker'] as const

/**
 * What is wrong only beside another option.
 *
 * @throws {OptionError}
 */
export function refuseContradictions(config: BridgeConfig, read: OptionReader): void {
  const { prefetch, concurrency, ack } = config
  if (prefetch < concurrency) {
    read.refuse('prefetch', `is below --concurrency ${concurrency}: some slots would never get a message`)
  }
  refuseDeadLetters(config, read)
  if (ack === 'completed') refuseRetries(config, read)
  else {
    const needy = ONLY_COMPLETED.find((name) => read.given(name))
    if (needy !== undefined) read.refuse(needy, 'needs --ack completed')
  }
  refuseTimeouts(config, read)
}

function refuseDeadLetters({ queue, deadLetterQueue }: BridgeConfig, read: OptionReader): void {
  if (isTooLong(deadLetterQueue)) {
    read.refuse(
      'dead-letter-queue',
      `must be given: "${queue}" with .dead is too long for the name of a queue`,
    )
  }
  if (deadLetterQueue === queue) {
    read.refuse(
      'dead-letter-queue',
      'is the queue that is consumed: given-up messages would come back for ever',
    )
  }
}

function refuseRetries(config: BridgeConfig, read: OptionReader): void {
  const { queue, deadLetterQueue, retryDelay, retryMaxDelay } = config
  if (retryDelay > retryMaxDelay) read.refuse('retry-delay', 'is longer than --retry-max-delay')
  const queues = retryDelays(config).map((delay) => retryQueue(queue, delay))
  const tooLong = queues.findLast(isTooLong)
  if (tooLong !== undefined) {
    read.refuse('queue', `is too long: the retry queue "${tooLong}" must have at most 255 bytes`)
  }
  if (queues.includes(deadLetterQueue)) {
    read.refuse('dead-letter-queue', 'is a retry queue: given-up messages would come back for ever')
  }
}

function refuseTimeouts(config: BridgeConfig, read: OptionReader): void {
  const { ack, transport, timeout, keepAlive } = config
  if (maxWait(config) <= 0) {
    read.refuse(
      'consumer-timeout',
      ack === 'completed' && timeout > 0
        ? 'must be more than a minute longer than --timeout: the broker would close the channel of what is still executed'
        : 'must be longer than a minute: nothing could wait for a slot',
    )
  }
  if (transport === 'fastcgi-client') {
    if (read.given('keep-alive') && keepAlive) read.refuse('keep-alive', 'needs --transport native')
    if (read.given('timeout') && timeout > 0) read.refuse('timeout', 'needs --transport native')
  }
}

function isTooLong(queue: string): boolean {
  return Buffer.byteLength(queue) > SHORT_STRING_BYTES
}
