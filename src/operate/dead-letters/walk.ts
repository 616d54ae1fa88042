import { type Ending, type Fate, QueueBrowser, type Window } from '../../amqp/queue-browser.ts'
import type { QueueFacts } from '../../amqp/queue-facts.ts'
import type { Delivery } from '../../bridge/ports.ts'
import { type DeadLetter, letterOf } from './letter.ts'
import type { Place } from './place.ts'
import { Renewal } from './renewal.ts'

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

/** A quorum queue would drop letters if they were given back once more, or twice. */
export class LooksUsedUp extends Error {
  constructor(queue: string, count: number, limit: number) {
    super(
      `queue "${queue}" is a quorum queue, has handed out a letter ${count} times, and drops what comes back more than ${limit} times: another look may cost letters. Put them where they count from 0 (replay --all --to another queue), or raise its delivery limit`,
    )
  }
}

/**
 * Goes through the letters that are there, once each, in their order. What is not settled keeps its place.
 *
 * @throws {BrokerError} no broker, no such queue, a channel that has ended, or letters that could neither be given back nor put in anew
 * @throws {LooksUsedUp}
 */
export async function walk(place: Place, what: Walk): Promise<Walked> {
  const browser = await QueueBrowser.open(place.brokers, place.connections, place.queue)
  const stop = (): void => browser.stop()
  const facts = { ...browser.facts, deliveryLimit: place.deliveryLimit ?? browser.facts.deliveryLimit }
  const renewal = new Renewal(place, facts)
  try {
    await renewal.prepare()
    what.onFacts?.(facts)
    let seen = 0
    const take = (delivery: Delivery): Fate => {
      const letter = letterOf(delivery)
      seen += 1
      const isDoomed = renewal.offer(letter, delivery)
      const isWorn = isDoomed || (seen === 1 && isWornOut(letter, facts))
      if (isWorn && what.purpose === 'look')
        throw new LooksUsedUp(place.queue, letter.deliveryCount, facts.deliveryLimit)
      const fate = what.take(letter, delivery)
      if (fate === 'undecided') return 'keep'
      return isDoomed ? settleOrRenew(fate, delivery) : fate
    }
    const settleOrRenew = async (fate: Fate, delivery: Delivery): Promise<'settled'> => {
      if ((await fate) === 'keep') return renewal.renew(delivery)
      renewal.settled(delivery)
      return 'settled'
    }
    what.signal?.addEventListener('abort', stop)
    if (what.signal?.aborted) stop()
    const ending = await browser.read(what.window, take, (late) => {
      renewal.offer(letterOf(late), late)
    })
    if (ending !== 'stopped') await what.after?.((delivery) => renewal.settled(delivery))
    if (what.purpose === 'take') await browser.requireSession()
    // All may have been seen, and some of them left where they are.
    return { facts, seen, ending: what.signal?.aborted ? 'stopped' : ending }
  } finally {
    what.signal?.removeEventListener('abort', stop)
    try {
      await renewal.finish()
    } finally {
      await browser.close()
    }
  }
}

/** One time is left for those who take letters out, and fail half-way. */
function isWornOut({ deliveryCount }: DeadLetter, { deliveryLimit }: QueueFacts): boolean {
  return deliveryCount >= deliveryLimit - 1
}
