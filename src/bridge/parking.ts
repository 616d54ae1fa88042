import { messageKey } from './message-key.ts'
import type { BridgePolicy, Delivery, Intake, Log } from './ports.ts'
import type { Copy, Fate, Tries } from './tries.ts'

/** Messages that may be parked at once, and the bytes of their bodies; one may always be. */
const MAX_MESSAGES = 1_000
const MAX_BYTES = 64 * 1024 * 1024

/** Milliseconds between two looks at what is parked. */
const INTERVAL = 1_000
/** Milliseconds after which it is told again, the first time and later. */
const FIRST_REMINDER = 60_000
const REMINDER = 600_000
/** Milliseconds after which nobody waits any more for a message that has gone back: somebody else has it. */
const MAX_ABSENCE = 3_600_000
/** Milliseconds that are left of the broker's patience when a message goes back. */
const MARGIN = 60_000

interface Parked {
  readonly key: string
  copy: Copy
  cause: string
  /** Undefined while the message is with the broker, from where it comes again. */
  here: Tries | undefined
  /** Since when it is here, or is not; milliseconds of `performance.now()`. */
  since: number
}

/**
 * Messages that are executed, and whose copies cannot be published at the moment, or never: they stay with the broker, unacked, and
 * take none of the places of others. None is executed again by this daemon. Each leaves when its copy is published; before the
 * broker loses its patience it goes back, and is recognised when it comes again, with this session or another.
 */
export class Parking {
  readonly #config: BridgePolicy
  readonly #intake: Intake
  readonly #log: Log
  readonly #parked = new Set<Parked>()
  #bytes = 0
  /** How many of the deliveries that the broker hands out at once are parked since it was asked for more. */
  #taken = 0
  #full = false
  #remindAt = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false
  /** Milliseconds that the broker waits for an ack. */
  #consumerTimeout: number

  constructor(config: BridgePolicy, intake: Intake, log: Log) {
    this.#config = config
    this.#consumerTimeout = config.consumerTimeout || Number.POSITIVE_INFINITY
    this.#intake = intake
    this.#log = log
  }

  /** @returns false when there is no room; the message then keeps the place that it has among those handed out at once */
  park(tries: Tries): boolean {
    if (this.#closed) {
      this.#handBack(tries)
      return true
    }
    const { delivery, copy, cause } = tries
    if (
      this.#parked.size >= MAX_MESSAGES ||
      (this.#bytes > 0 && this.#bytes + delivery.body.length > MAX_BYTES)
    ) {
      this.#tellFull(copy)
      return false
    }
    const parked: Parked = {
      key: messageKey(delivery),
      copy,
      cause,
      here: tries,
      since: delivery.receivedAt,
    }
    this.#parked.add(parked)
    this.#enter(delivery)
    this.#log.warn(
      'Parked: the message stays with the broker, unacked, until its copy can be published. It is not executed again.',
      { ...copy.fields, copyTo: copy.queue, cause, parked: this.#parked.size },
    )
    return true
  }

  /** @returns the copy of a message that was parked, has gone back, and is here again */
  recognise(delivery: Delivery): Copy | undefined {
    if (this.#parked.size === 0) return undefined
    const found = this.#find(delivery)
    return found && { ...found.copy, fields: { ...found.copy.fields, deliveryTag: delivery.deliveryTag } }
  }

  /** For the message that was just recognised. */
  parkAgain(tries: Tries): void {
    const { delivery, copy } = tries
    const parked = this.#find(delivery)
    if (parked === undefined) return
    if (parked.here !== undefined) this.#depart(parked.here)
    tries.cause = parked.cause
    parked.copy = copy
    parked.here = tries
    parked.since = delivery.receivedAt
    this.#enter(delivery)
    this.#log.info('A parked message is back, and stays parked.', { ...copy.fields, copyTo: copy.queue })
  }

  /** To be called when there are no more tries. */
  leave(tries: Tries, fate: Fate): void {
    const { delivery, copy } = tries
    for (const parked of this.#parked) {
      if (parked.here !== tries) continue
      this.#depart(tries)
      if (fate === 'published') {
        this.#parked.delete(parked)
        delivery.ack()
        this.#log.info('A parked message is settled: its copy has been published.', {
          ...copy.fields,
          copyTo: copy.queue,
          parked: this.#parked.size,
        })
      } else {
        parked.cause = tries.cause
        parked.here = undefined
        parked.since = performance.now()
      }
    }
    this.#full = false
    if (this.#parked.size === 0) this.#stopLooking()
  }

  /** The broker has shown that it waits no longer than so many milliseconds. */
  shorten(consumerTimeout: number): void {
    this.#consumerTimeout = Math.min(this.#consumerTimeout, consumerTimeout)
  }

  /** Hands everything back. */
  close(): void {
    this.#closed = true
    this.#stopLooking()
    const all = [...this.#parked].filter(({ here }) => here !== undefined)
    if (all.length === 0) return
    this.#log.warn('Parked messages are handed back: they will be executed again.', summary(all))
    for (const { here } of all) if (here !== undefined) this.#handBack(here)
  }

  #enter({ body }: Delivery): void {
    this.#bytes += body.length
    if (this.#timer === undefined) {
      this.#remindAt = performance.now() + FIRST_REMINDER
      this.#timer = setInterval(() => this.#look(), INTERVAL).unref()
    }
    this.#taken += 1
    // Half of them are free for others at any time.
    if (this.#taken * 2 < this.#config.prefetch) return
    this.#taken = 0
    this.#intake.widen()
  }

  #depart(tries: Tries): void {
    tries.stop()
    this.#bytes -= tries.delivery.body.length
  }

  #find(delivery: Delivery): Parked | undefined {
    const key = messageKey(delivery)
    for (const parked of this.#parked)
      if (parked.key === key && parked.here?.delivery.live !== true) return parked
    return undefined
  }

  #handBack(tries: Tries): void {
    tries.stop()
    tries.delivery.requeue()
  }

  #look(): void {
    const now = performance.now()
    const patience = Math.max(this.#consumerTimeout - MARGIN, this.#consumerTimeout / 2)
    for (const parked of this.#parked) {
      const age = now - parked.since
      if (parked.here === undefined) {
        if (age > MAX_ABSENCE) this.#parked.delete(parked)
      } else if (age > patience) this.#handBack(parked.here)
    }
    if (this.#parked.size === 0) this.#stopLooking()
    else if (now >= this.#remindAt) this.#remind(now)
  }

  #remind(now: number): void {
    this.#remindAt = now + REMINDER
    const fields = { ...summary([...this.#parked]), bytes: this.#bytes }
    this.#log.error('Messages are still parked: their copies cannot be published.', fields)
  }

  #tellFull({ fields, queue }: Copy): void {
    if (this.#full) return
    this.#full = true
    this.#log.error(
      'No more messages can be parked; when as many wait as --prefetch allows, no more are taken.',
      {
        ...fields,
        copyTo: queue,
        parked: this.#parked.size,
        bytes: this.#bytes,
      },
    )
  }

  #stopLooking(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}

function summary(all: readonly Parked[]): Readonly<Record<string, unknown>> {
  const causes = new Set(all.map(({ here, cause }) => here?.cause ?? cause))
  return {
    parked: all.length,
    copyTo: [...new Set(all.map(({ copy }) => copy.queue))].slice(0, 5),
    causes: [...causes].slice(0, 5),
    messageIds: all.slice(0, 10).map(({ copy }) => copy.fields['messageId']),
  }
}
