import type { Channel, Message } from 'amqplib'

/**
 * Settles the deliveries of one channel, for as long as it is open. The acks of contiguous deliveries go out as one frame,
 * once per turn of the event loop: that costs daemon and broker less than a frame each. An ack never waits for an unfinished predecessor: what is
 * done and not contiguous goes out alone in the same turn.
 */
export class Acknowledgements {
  readonly #channel: Channel
  /** Every tag up to here is settled; tags count from 1 on each channel (AMQP 0-9-1, section 3.1.11). */
  #settledUpTo = 0
  /** Settled tags above that, already sent. */
  readonly #settled = new Set<number>()
  /** To be acked with the next flush. */
  readonly #done = new Set<number>()
  #scheduled = false
  #open = true

  constructor(channel: Channel) {
    this.#channel = channel
  }

  /** False once the channel is gone: its unacked deliveries are the broker's again. */
  get open(): boolean {
    return this.#open
  }

  ack(deliveryTag: number): void {
    this.#done.add(deliveryTag)
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.flush())
  }

  /** nack(requeue), at once. */
  requeue(deliveryTag: number): void {
    this.#settled.add(deliveryTag)
    this.#send(() => this.#channel.nack(message(deliveryTag), false, true))
  }

  /** To be called when the channel is gone; nothing is sent from then on. */
  close(): void {
    this.#open = false
    this.#done.clear()
  }

  /** Sends what waits; to be called before we close the channel. */
  flush(): void {
    this.#scheduled = false
    if (this.#done.size === 0) return
    // The frame names the last delivery of the run that is still unacked: a tag that is not closes the channel (406).
    let last = 0
    for (let tag = this.#settledUpTo + 1; this.#take(tag); tag += 1) {
      if (this.#done.delete(tag)) last = tag
      this.#settledUpTo = tag
    }
    const alone = [...this.#done]
    this.#done.clear()
    for (const tag of alone) this.#settled.add(tag)
    this.#send(() => {
      if (last > 0) this.#channel.ack(message(last), true)
      for (const tag of alone) this.#channel.ack(message(tag), false)
    })
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

  #take(tag: number): boolean {
    return this.#settled.delete(tag) || this.#done.has(tag)
  }
}

/** All that amqplib reads of a message to settle it. */
function message(deliveryTag: number): Message {
  return { fields: { deliveryTag } } as Message
}
