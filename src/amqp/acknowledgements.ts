import type { Channel, Message } from 'amqplib'

/** Between two delivery tags at most: as many as may be unacked at all. */
const MAX_GAP = 65_535

/**
 * Settles the deliveries of one channel, for as long as it is open. The acks of contiguous deliveries go out as one
 * frame, once per turn of the event loop: that costs daemon and broker less than a frame each. An ack never waits for
 * an unfinished predecessor: what is done and not contiguous goes out alone in the same turn.
 */
export class Acknowledgements {
  readonly #channel: Channel
  /** Tags count from 1 on each channel (AMQP 0-9-1, section 3.1.11); the highest one settled so far. */
  #highest = 0
  /**
   * The tags below that which are unfinished, ascending: no more than the prefetch. What is settled grows without
   * end behind a delivery that runs for hours.
   */
  readonly #unfinished = new Set<number>()
  /** To be acked with the next flush. */
  #done: number[] = []
  #scheduled = false
  #open = true
  #lastDelivered = 0

  constructor(channel: Channel) {
    this.#channel = channel
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
    if (this.#scheduled) return
    this.#scheduled = true
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
    this.#scheduled = false
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
