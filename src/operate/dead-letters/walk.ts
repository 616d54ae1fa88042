import { type Ending, type Fate, QueueBrowser, type Window } from '../../amqp/queue-browser.ts'
import type { QueueFacts } from '../../amqp/queue-facts.ts'
import { expressible } from '../../bridge/copy-headers.ts'
import type { Delivery } from '../../bridge/ports.ts'
import { type DeadLetter, letterOf, ownFields } from './letter.ts'
import type { Place } from './place.ts'

/** What comes in at once, where bodies are dropped as they come, and where they are kept for a moment. */
export const LOOKING: Window = { messages: 60_000, bytes: Number.POSITIVE_INFINITY }
export const TAKING: Window = { messages: 1000, bytes: 32 * 1024 * 1024 }

export interface Walk {
  /** `look`: nothing is taken out, and the queue must be able to bear another look after this one. */
  readonly purpose: 'look' | 'take'
  readonly window: Window
  /** Before anything is handed out. */
  onFacts?(facts: QueueFacts): void
  /** Of each letter; those that are kept are there until `after` is over. */
  take(letter: DeadLetter, delivery: Delivery): Fate
  /** When all have been seen, and nothing has been given back yet. */
  after?(): Promise<void>
  /** Stops it; what is on its way is waited for. */
  readonly signal?: AbortSignal | undefined
}

export interface Walked {
  readonly facts: QueueFacts
  readonly seen: number
  readonly ending: Ending
}

/** A quorum queue would drop its letters if they were given back once more, or twice. */
export class LooksUsedUp extends Error {
  constructor(queue: string, count: number, limit: number) {
    super(
      `queue "${queue}" is a quorum queue, has handed out its first letter ${count} times, and drops what comes back more than ${limit} times: another look may cost letters. Put them where they count from 0 (replay --all --to another queue), or raise its delivery limit`,
    )
  }
}

/**
 * Goes through the letters that are there, once each, in their order. What is not settled keeps its place.
 *
 * @throws {BrokerError} no broker, no such queue, or a channel that has ended
 * @throws {LooksUsedUp}
 */
export async function walk(place: Place, what: Walk): Promise<Walked> {
  const look = await QueueBrowser.open(place.brokers, place.connections, place.queue)
  const stop = (): void => look.stop()
  /** Would be dropped if it were given back; nothing else is handed out any more when it is settled. */
  let doomed: Delivery | undefined
  try {
    const facts = { ...look.facts, deliveryLimit: place.deliveryLimit ?? look.facts.deliveryLimit }
    what.onFacts?.(facts)
    let seen = 0
    const take = (delivery: Delivery): Fate => {
      const letter = letterOf(delivery)
      seen += 1
      const isLast = letter.deliveryCount >= facts.deliveryLimit
      if (seen === 1 && what.purpose === 'look' && isWornOut(letter, facts)) {
        if (isLast) doomed = delivery
        throw new LooksUsedUp(place.queue, letter.deliveryCount, facts.deliveryLimit)
      }
      const fate = what.take(letter, delivery)
      return fate === 'keep' && isLast ? renew(place, delivery) : fate
    }
    what.signal?.addEventListener('abort', stop)
    if (what.signal?.aborted) stop()
    const ending = await look.read(what.window, take)
    if (ending !== 'stopped') await what.after?.()
    // All may have been seen, and some of them left where they are.
    return { facts, seen, ending: what.signal?.aborted ? 'stopped' : ending }
  } finally {
    if (doomed !== undefined) await renew(place, doomed)
    what.signal?.removeEventListener('abort', stop)
    await look.close()
  }
}

/** One time is left for those who take letters out, and fail half-way. */
function isWornOut({ deliveryCount }: DeadLetter, { deliveryLimit }: QueueFacts): boolean {
  return deliveryCount >= deliveryLimit - 1
}

/** Given back, it would be dropped: a new one takes its place, at the end of the queue. */
async function renew(place: Place, delivery: Delivery): Promise<'settled'> {
  const { headers: _, ...properties } = delivery.properties
  const { queue } = place
  await place.publisher.publish({
    queue,
    properties: expressible(properties),
    headers: ownFields(delivery),
    body: delivery.body,
  })
  delivery.ack()
  return 'settled'
}
