import { type Ending, type Fate, QueueBrowser, type Window } from '../../amqp/queue-browser.ts'
import type { QueueFacts } from '../../amqp/queue-facts.ts'
import type { Delivery } from '../../bridge/ports.ts'
import { deadCopyOf } from './dead-copy.ts'
import { type DeadLetter, letterOf } from './letter.ts'
import { contentIn } from './letter-text.ts'
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
  /** Of each letter. `undecided`: it stays until `after`, which may settle it. */
  take(letter: DeadLetter, delivery: Delivery): Fate | 'undecided'
  /** When all have been seen, and nothing has been given back yet. Tells what it settles. */
  after?(onSettled: (delivery: Delivery) => void): Promise<void>
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
  const browser = await QueueBrowser.open(place.brokers, place.connections, place.queue)
  const stop = (): void => browser.stop()
  /** Not settled yet, and dropped by the broker if they were given back. */
  const doomed = new Set<Delivery>()
  try {
    const facts = { ...browser.facts, deliveryLimit: place.deliveryLimit ?? browser.facts.deliveryLimit }
    what.onFacts?.(facts)
    let seen = 0
    const take = (delivery: Delivery): Fate => {
      const letter = letterOf(delivery)
      seen += 1
      const isLast = isDoomed(letter, facts)
      if (isLast) doomed.add(delivery)
      if (seen === 1 && what.purpose === 'look' && isWornOut(letter, facts))
        throw new LooksUsedUp(place.queue, letter.deliveryCount, facts.deliveryLimit)
      const fate = what.take(letter, delivery)
      if (fate === 'undecided') return 'keep'
      return isLast ? settleOrRenew(fate, delivery) : fate
    }
    const settleOrRenew = async (fate: Fate, delivery: Delivery): Promise<'keep' | 'settled'> => {
      const renewed = (await fate) === 'keep' ? await renew(place, delivery) : 'settled'
      if (renewed === 'settled') doomed.delete(delivery)
      return renewed
    }
    what.signal?.addEventListener('abort', stop)
    if (what.signal?.aborted) stop()
    const ending = await browser.read(what.window, take, (late) => {
      if (isDoomed(letterOf(late), facts)) doomed.add(late)
    })
    if (ending !== 'stopped') await what.after?.((delivery) => void doomed.delete(delivery))
    if (what.purpose === 'take') await browser.requireSession()
    // All may have been seen, and some of them left where they are.
    return { facts, seen, ending: what.signal?.aborted ? 'stopped' : ending }
  } finally {
    what.signal?.removeEventListener('abort', stop)
    try {
      await renewAll(place, doomed)
    } finally {
      await browser.close()
    }
  }
}

function isDoomed({ deliveryCount }: DeadLetter, { deliveryLimit }: QueueFacts): boolean {
  return deliveryCount >= deliveryLimit
}

/** One time is left for those who take letters out, and fail half-way. */
function isWornOut({ deliveryCount }: DeadLetter, { deliveryLimit }: QueueFacts): boolean {
  return deliveryCount >= deliveryLimit - 1
}

/** One that cannot be published keeps none of the others from it. @throws {BrokerError} what the first has failed with */
async function renewAll(place: Place, doomed: Iterable<Delivery>): Promise<void> {
  const outcomes = await Promise.allSettled([...doomed].map((delivery) => renew(place, delivery)))
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

/**
 * Given back, it would be dropped: a new one takes its place, at the end of the queue.
 *
 * @returns `keep` where its session has ended, so that the broker has it back already
 */
async function renew(place: Place, delivery: Delivery): Promise<'keep' | 'settled'> {
  if (!delivery.live) return 'keep'
  await place.publisher.publish(deadCopyOf(contentIn(delivery), place.queue))
  delivery.ack()
  return 'settled'
}
