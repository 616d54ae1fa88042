import type { Tell } from './events.ts'
import { messageKey } from './message-key.ts'
import { type Parked, summary } from './parked.ts'
import type { BridgePolicy, Delivery, Intake } from './ports.ts'
import type { Copy, Tries } from './tries.ts'

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

/**
 * Messages that are executed, and whose copies cannot be published at the moment, or never: they stay with the broker, unacked, and
 * take none of the places of others. None is executed again by this daemon. Each leaves when its copy is published; before the
 * broker loses its patience it goes back, and is recognised when it comes again, with this session or another.
 */
export class Parking {
  readonly #config: BridgePolicy
  readonly #intake: Intake
  readonly #tell: Tell
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

  constructor(config: BridgePolicy, intake: Intake, tell: Tell) {
    this.#config = config
    this.#consumerTimeout = config.consumerTimeout || Number.POSITIVE_INFINITY
    this.#intake = intake
    this.#tell = tell
  }

  /**
   * @returns false when there is no room; the message then keeps the place that it has among those handed out at once. So when nothing
   * is parked any more; then it is handed back
   */
  park(tries: Tries): boolean {
    if (this.#closed) {
      this.#handBack(tries)
      return false
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
    this.#tell({ kind: 'parked', copy: copy.made, copyTo: copy.queue, cause, parked: this.#parked.size })
    return true
  }

  /** @returns the copy of a message that was parked, has gone back, and is here again */
  recognise(delivery: Delivery): Copy | undefined {
    return this.#parked.size === 0 ? undefined : this.#find(messageKey(delivery))?.copy
  }

  /** For the message that was just recognised. */
  parkAgain(tries: Tries): void {
    const { delivery, copy } = tries
    for (const parked of this.#parked) {
      if (parked.copy !== copy) continue
      if (parked.here !== undefined) this.#depart(parked.here)
      tries.cause = parked.cause
      parked.here = tries
      parked.since = delivery.receivedAt
      this.#enter(delivery)
      this.#tell({ kind: 'parked-again', copy: copy.made, copyTo: copy.queue })
    }
  }

  /**
   * To be called when there are no more tries, of whatever copy.
   *
   * @returns of a message that is settled by that, how many are still parked
   */
  leave(tries: Tries, published: boolean): number | undefined {
    for (const parked of this.#parked) {
      if (parked.here !== tries) continue
      this.#depart(tries)
      this.#full = false
      if (published) this.#parked.delete(parked)
      else {
        parked.cause = tries.cause
        parked.here = undefined
        parked.since = performance.now()
      }
      if (this.#parked.size === 0) this.#stopLooking()
      return published ? this.#parked.size : undefined
    }
    return undefined
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
    this.#tell({ kind: 'parked-handed-back', summary: summary(all) })
    for (const { here } of all) if (here !== undefined) this.#handBack(here)
  }

  #enter({ body }: Delivery): void {
    this.#bytes += body.length
    if (this.#timer === undefined) {
      this.#remindAt = performance.now() + FIRST_REMINDER
      this.#timer = setInterval(() => this.#examine(), INTERVAL).unref()
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

  /** One that is not here, as far as its session goes. */
  #find(key: string): Parked | undefined {
    for (const parked of this.#parked)
      if (parked.key === key && parked.here?.delivery.live !== true) return parked
    return undefined
  }

  #handBack(tries: Tries): void {
    tries.stop()
    tries.delivery.requeue()
  }

  #examine(): void {
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
    this.#tell({ kind: 'still-parked', summary: summary([...this.#parked]), bytes: this.#bytes })
  }

  #tellFull({ made, queue }: Copy): void {
    if (this.#full) return
    this.#full = true
    const parked = this.#parked.size
    this.#tell({ kind: 'parking-full', copy: made, copyTo: queue, parked, bytes: this.#bytes })
  }

  #stopLooking(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
