import type { BridgePolicy, Delivery, Log } from './ports.ts'

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
  /** By slot, what was begun, and what is to be settled in its place; at first itself. A map of objects would cost each message. */
  readonly #begun: (Delivery | undefined)[] = []
  readonly #current: (Delivery | undefined)[] = []
  readonly #free: number[] = []

  readonly #log: Log

  constructor({ ack }: Pick<BridgePolicy, 'ack'>, log: Log) {
    this.#possible = ack === 'completed'
    this.#log = log
  }

  /** @returns the slot, for `end` */
  begin(delivery: Delivery): number {
    const slot = this.#free.pop() ?? this.#begun.length
    this.#begun[slot] = delivery
    this.#current[slot] = delivery
    return slot
  }

  /** @returns whether the message is being executed, so that it will be settled without being executed again */
  adopt(delivery: Delivery): boolean {
    if (!this.#possible || !delivery.redelivered) return false
    const slot = this.#begun.findIndex(
      (begun, index) =>
        begun !== undefined && this.#current[index]?.live === false && isSame(begun, delivery),
    )
    if (slot === -1) return false
    this.#current[slot] = delivery
    this.#logAdopted(delivery)
    return true
  }

  /** @returns the delivery to settle now that the execution of this slot is over */
  end(slot: number): Delivery {
    const current = this.#current[slot] as Delivery
    this.#begun[slot] = undefined
    this.#current[slot] = undefined
    this.#free.push(slot)
    return current
  }

  #logAdopted({ deliveryTag, properties: { messageId } }: Delivery): void {
    const message = 'Delivered again while it is executed: that execution goes on, and settles it.'
    this.#log.info(message, { deliveryTag, messageId })
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
