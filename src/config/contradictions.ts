import { maxWait } from '../bridge/patience.ts'
import { retryDelays, retryQueue } from '../bridge/retry.ts'
import type { BridgeConfig } from './bridge-config.ts'
import { Faults } from './option-error.ts'
import type { OptionReader } from './reader.ts'
import { SHORT_STRING_BYTES } from './values.ts'

/** Options that say something about retries. */
const ONLY_COMPLETED = ['max-attempts', 'retry-delay', 'retry-max-delay', 'require-marker'] as const

type Given = Pick<OptionReader, 'given'>
type Contradiction = readonly [option: string, complaint: string]

/**
 * What is wrong only beside another option.
 *
 * @throws {OptionError} of all of it
 */
export function refuseContradictions(config: BridgeConfig, read: OptionReader): void {
  const faults = new Faults()
  for (const [option, complaint] of contradictions(config, read))
    faults.attempt(() => read.refuse(option, complaint))
  faults.throwAny()
}

function* contradictions(config: BridgeConfig, read: Given): Iterable<Contradiction> {
  const { prefetch, concurrency, ack } = config
  if (prefetch < concurrency)
    yield ['prefetch', `is below --concurrency ${concurrency}: some slots would never get a message`]
  yield* ofDeadLetters(config)
  if (ack === 'completed') yield* ofRetries(config)
  else for (const name of ONLY_COMPLETED) if (read.given(name)) yield [name, 'needs --ack completed']
  if (config.replyAllow === undefined && read.given('reply-allow')) yield ['reply-allow', 'needs --replies']
  yield* ofTimeouts(config)
  yield* ofTransport(config, read)
}

function* ofDeadLetters({ queue, deadLetterQueue }: BridgeConfig): Iterable<Contradiction> {
  if (isTooLong(deadLetterQueue))
    yield ['dead-letter-queue', `must be given: "${queue}" with .dead is too long for the name of a queue`]
  if (deadLetterQueue === queue)
    yield ['dead-letter-queue', 'is the queue that is consumed: given-up messages would come back for ever']
}

function* ofRetries(config: BridgeConfig): Iterable<Contradiction> {
  const { queue, deadLetterQueue, retryDelay, retryMaxDelay } = config
  if (retryDelay > retryMaxDelay) yield ['retry-delay', 'is longer than --retry-max-delay']
  const queues = retryDelays(config).map((delay) => retryQueue(queue, delay))
  const tooLong = queues.findLast(isTooLong)
  if (tooLong !== undefined)
    yield ['queue', `is too long: the retry queue "${tooLong}" must have at most 255 bytes`]
  if (queues.includes(deadLetterQueue))
    yield ['dead-letter-queue', 'is a retry queue: given-up messages would come back for ever']
}

function* ofTimeouts(config: BridgeConfig): Iterable<Contradiction> {
  if (maxWait(config) > 0) return
  yield [
    'consumer-timeout',
    config.ack === 'completed' && config.timeout > 0
      ? 'must be more than a minute longer than --timeout: the broker would close the channel of what is still executed'
      : 'must be longer than a minute: nothing could wait for a slot',
  ]
}

function* ofTransport(config: BridgeConfig, read: Given): Iterable<Contradiction> {
  const { transport, timeout, keepAlive, messagesPerRequest } = config
  if (transport !== 'fastcgi-client') return
  if (read.given('keep-alive') && keepAlive) yield ['keep-alive', 'needs --transport native']
  if (read.given('timeout') && timeout > 0) yield ['timeout', 'needs --transport native']
  if (messagesPerRequest > 1) yield ['messages-per-request', 'above 1 needs --transport native']
}

function isTooLong(queue: string): boolean {
  return Buffer.byteLength(queue) > SHORT_STRING_BYTES
}
