import type { Channel, Message } from 'amqplib'

/** Between two delivery tags at most: as many as may be unacked at all. */
const MAX_GAP = 65_535

/** How long acks wait for one another, while other deliveries are unsettled. */
export interface AckPatience {
  /** 0: until the end of the turn of the event loop. */
  readonly milliseconds: number
  /** So many go at the end of the turn in any case: the broker delivers no more while too many are unacked. */
  readonly most: number
}

const NO_PATIENCE: AckPatience = { milliseconds: 0, most: 1 }

/**
 * Settles the deliveries of one channel, for as long as it is open. The acks of contiguous deliveries go out as one
 * frame, once per turn of the event loop, or after a few of them: that costs daemon and broker less than a frame each, and new deliveries
 * come as many at a time. An ack never waits for an unfinished predecessor: what is done and not contiguous goes out alone in the same turn.
 */
export class Acknowledgements {
  readonly #channel: Channel
  readonly #patience: AckPatience
  /** Tags count from 1 on each channel (AMQP 0-9-1, section 3.1.11); the highest one settled so far. */
  #highest = 0
  /**
   * The tags below that which are unfinished, ascending: no more than the prefetch. What is settled grows without
   * end behind a delivery that runs for hours.
   */
  readonly #unfinished = new Set<number>()
  /** To be acked with the next flush. */
  #done: number[] = []
  /** At the end of this turn. */
  #soon = false
  /** When patience is over. */
  #later: NodeJS.Timeout | undefined
  #open = true
  #lastDelivered = 0

  constructor(channel: Channel, patience = NO_PATIENCE) {
    this.#channel = channel
    this.#patience = patience
  }

  /** False once the channel is gone: its unacked deliveries are the broker's again. */
  get open(): boolean {
    return this.#open
  }

  /**
   * To be asked of each delivery: tags count up, one by one in RabbitMQ. What lies between two is noted as unfinished, so that a tag of 1e8
   * would take minutes and all memory.
   */
  expects(deliveryTag: number): boolean {
    if (deliveryTag <= this.#lastDelivered || deliveryTag > this.#lastDelivered + MAX_GAP) return false
    this.#lastDelivered = deliveryTag
    return true
  }

  ack(deliveryTag: number): void {
    this.#finish(deliveryTag)
    this.#done.push(deliveryTag)
    if (this.#soon) return
    if (this.#mayWait) {
      this.#later ??= setTimeout(() => this.flush(), this.#patience.milliseconds)
      return
    }
    this.#soon = true
    setImmediate(() => this.flush())
  }

  /** nack(requeue), at once. */
  requeue(deliveryTag: number): void {
    this.#finish(deliveryTag)
    this.#send(() => this.#channel.nack(message(deliveryTag), false, true))
  }

  /** To be called when the channel is gone; nothing is sent from then on. */
  close(): void {
    this.#open = false
    this.#done = []
  }

  /** Sends what waits; to be called before we close the channel. */
  flush(): void {
    this.#soon = false
    clearTimeout(this.#later)
    this.#later = undefined
    const done = this.#done
    this.#done = []
    const [firstUnfinished = Number.POSITIVE_INFINITY] = this.#unfinished
    // The frame names a delivery that is still unacked: a tag that is not closes the channel (406).
    let last = 0
    const alone: number[] = []
    for (const tag of done) {
      if (tag > firstUnfinished) alone.push(tag)
      else if (tag > last) last = tag
    }
    this.#send(() => {
      if (last > 0) this.#channel.ack(message(last), true)
      for (const tag of alone) this.#channel.ack(message(tag), false)
    })
  }

  /** Whether more are to follow soon: of the last one nobody else would take the ack along. */
  get #mayWait(): boolean {
    const { milliseconds, most } = this.#patience
    const areOthers = this.#unfinished.size > 0 || this.#highest < this.#lastDelivered
    return milliseconds > 0 && this.#done.length < most && areOthers
  }

  #finish(deliveryTag: number): void {
    for (let tag = this.#highest + 1; tag < deliveryTag; tag += 1) this.#unfinished.add(tag)
    this.#highest = Math.max(this.#highest, deliveryTag)
    this.#unfinished.delete(deliveryTag)
  }

  #send(frames: () => void): void {
    if (!this.#open) return
    try {
      frames()
    } catch {
      // amqplib lets nothing out any more, and will say that the connection has ended: what is unacked is the broker's.
      this.close()
    }
  }
}

/** All that amqplib reads of a message to settle it. */
function message(deliveryTag: number): Message {
  return { fields: { deliveryTag } } as Message
}
