import type { BridgeConfig, Delivery, Log } from './ports.ts'

/** What RabbitMQ itself writes into the header table of what it delivers again. */
const OF_THE_BROKER = new Set(['x-delivery-count', 'x-acquired-count'])

/**
 * The deliveries that are being executed. When a session ends, its executions run on, and the broker delivers their messages again on the
 * next one, often to this very daemon: then the message is not executed beside itself, but the execution that runs
 * settles the new delivery. Of a message that is executed for longer than the broker's consumer_timeout that is the only end.
 */
export class Adoption {
  /** With `dispatched`, what runs has been acked, and is never delivered again. */
  readonly #possible: boolean
  /** Each with the one to settle in its place; at first itself. */
  readonly #running = new Map<Delivery, Delivery>()

  readonly #log: Log

  constructor({ ack }: Pick<BridgeConfig, 'ack'>, log: Log) {
    this.#possible = ack === 'completed'
    this.#log = log
  }

  begin(delivery: Delivery): void {
    if (this.#possible) this.#running.set(delivery, delivery)
  }

  /** @returns whether the message is being executed, so that it will be settled without being executed again */
  adopt(delivery: Delivery): boolean {
    if (!delivery.redelivered) return false
    for (const [first, current] of this.#running) {
      if (current.live || !isSame(first, delivery)) continue
      this.#running.set(first, delivery)
      this.#logAdopted(delivery)
      return true
    }
    return false
  }

  #logAdopted({ deliveryTag, properties: { messageId } }: Delivery): void {
    const message = 'Delivered again while it is executed: that execution goes on, and settles it.'
    this.#log.info(message, { deliveryTag, messageId })
  }

  /** @returns the delivery to settle now that the execution that began with this one is over */
  end(delivery: Delivery): Delivery {
    const current = this.#running.get(delivery) ?? delivery
    this.#running.delete(delivery)
    return current
  }
}

/**
 * Whether both bring the same message, as far as anybody can see: two without an id that are alike in everything do the same.
 * Each stands for one execution, whichever it is.
 */
function isSame(one: Delivery, other: Delivery): boolean {
  return (
    one.routingKey === other.routingKey &&
    one.exchange === other.exchange &&
    one.body.equals(other.body) &&
    identity(one) === identity(other)
  )
}

function identity({ properties: { headers = {}, ...properties } }: Delivery): string {
  const own = Object.entries(headers).filter(([name]) => !OF_THE_BROKER.has(name))
  // JSON has no bigints.
  return JSON.stringify([properties, own], (_, value) => (typeof value === 'bigint' ? `${value}n` : value))
}
