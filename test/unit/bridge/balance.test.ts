import fc from 'fast-check'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { BridgeEvent } from '../../../src/bridge/events.ts'
import type { BridgePolicy } from '../../../src/bridge/ports.ts'
import { retryDelays, retryQueue } from '../../../src/bridge/retry.ts'
import { config } from '../../support/recording.ts'
import { type Played, play, someDeeds, type Told } from './model-play.ts'

/* Whatever happens, in whatever order: what a bridge tells of its deliveries adds up, and its counters are what the broker has seen. */

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

type Kind = BridgeEvent['kind']

const all = (told: readonly Told[], ...kinds: readonly Kind[]) =>
  told.filter(({ event }) => kinds.includes(event.kind))

/** Each was begun, or is executed already, or rests parked, or went back as a new one: or else it is the broker's again. */
function deliveriesBalance({ broker, told }: Played): void {
  expect(all(told, 'delivered')).toHaveLength(broker.deliveries.length)
  const tags = (...kinds: readonly Kind[]) =>
    new Set(all(told, ...kinds).map(({ deliveryTag }) => deliveryTag))
  // One that was adopted begins again where that execution did not come to pass.
  const places = [tags('started', 'adopted'), tags('parked-again'), tags('delivery-count-reset')]
  for (const { deliveryTag, fate } of broker.deliveries) {
    const own = places.filter((place) => place.has(deliveryTag)).length
    expect(own).toBeLessThanOrEqual(1)
    if (own === 0) expect(fate).not.toBe('ack')
  }
}

/** Each has one end: a counted one, or none that counts. What stays parked is told of in other words. */
function executionsBalance({ told, counts, running }: Played): void {
  const ends = all(told, 'settled', 'unsettled', 'lost', 'held', 'put-back')
  const endless = new Set([...running, ...all(told, 'parked').map(({ executionId }) => executionId)])
  for (const { executionId } of all(told, 'started')) {
    const own = ends.filter((end) => end.executionId === executionId).map(({ event }) => event.kind)
    if (own.length > 0 || !endless.has(executionId)) expect(own).toHaveLength(1)
  }
  const uncounted = ends.filter(
    ({ event }) => event.kind === 'unsettled' || (event.kind === 'held' && event.probing),
  )
  const counted = Object.values(counts).reduce((sum, count) => sum + count, 0)
  expect(counted + uncounted.length).toBe(ends.length)
}

/** Of each copy that is counted there is a message, and each of its messages is counted, but where its publisher cannot know. */
function copiesBalance({ broker, told, counts }: Played, policy: BridgePolicy): void {
  const rests = retryDelays(policy).map((delay) => retryQueue(policy.queue, delay))
  const copies = [
    [counts['dead-letter'], [policy.deadLetterQueue]],
    [counts.retry, rests],
    [all(told, 'put-back', 'delivery-count-reset').length, [policy.queue]],
  ] as const
  for (const [count, queues] of copies) {
    const taken = broker.copies.filter(({ queue }) => queues.includes(queue))
    const known = taken.filter(({ as }) => as === 'taken').length
    expect(count).toBeGreaterThanOrEqual(known)
    expect(count).toBeLessThanOrEqual(known + taken.filter(({ as }) => as === 'late').length)
  }
}

/** What is counted as settled, or put back, is what the broker has the acks of. */
function acksBalance({ broker, told, counts }: Played): void {
  const { executed, refused, lost, retry, 'dead-letter': dead } = counts
  const unacked = told.filter(({ event }) => event.kind === 'settled' && event.by === 'copy' && !event.acked)
  const back = all(told, 'put-back', 'delivery-count-reset').length
  expect(broker.acks).toBe(executed + refused + lost + retry + dead - unacked.length + back)
}

const DELAYS = { retryDelay: 1_000, retryMaxDelay: 4_000, consumerTimeout: 120_000 }

it.each<[ending: string, ack: BridgePolicy['ack'], givesUp: boolean]>([
  ['drains', 'completed', false],
  ['drains', 'dispatched', false],
  ['gives up', 'completed', true],
  ['gives up', 'dispatched', true],
])('what is told adds up, when it %s, with --ack %s', async (_, ack, givesUp) => {
  const policy = { ...config, ...DELAYS, ack, maxAttempts: ack === 'completed' ? 3 : 1 }
  await fc.assert(
    fc.asyncProperty(someDeeds, async (deeds) => {
      const played = await play(policy, deeds, givesUp)
      if (!givesUp) expect(played.drained).toBe(true)
      deliveriesBalance(played)
      executionsBalance(played)
      copiesBalance(played, policy)
      acksBalance(played)
    }),
    { numRuns: 150 },
  )
})
