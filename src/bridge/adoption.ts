import type { Tell } from './events.ts'
import type { Execution } from './execution.ts'
import type { BridgePolicy, Delivery } from './ports.ts'

/** What RabbitMQ itself writes into the header table of what it delivers again. */
const OF_THE_BROKER = new Set(['x-delivery-count', 'x-acquired-count'])

/**
 * The executions that run. When a session ends, they run on, and the broker delivers their messages again on the next one, often to this
 * very daemon: then the message is not executed beside itself, but the execution that runs settles the new delivery. Of a message that
 * is executed for longer than the broker's consumer_timeout that is the only end.
 */
export class Adoption {
  /** With `dispatched`, what runs has been acked, and is never delivered again. */
  readonly #possible: boolean
  /** By slot. A map of objects would cost each message. */
  readonly #running: (Execution | undefined)[] = []
  readonly #free: number[] = []
  readonly #tell: Tell

  constructor({ ack }: Pick<BridgePolicy, 'ack'>, tell: Tell) {
    this.#possible = ack === 'completed'
    this.#tell = tell
  }

  /** Those that the broker does not deliver again, whatever becomes of them. */
  get acked(): readonly Execution[] {
    return this.running.filter(({ acked }) => acked)
  }

  get running(): readonly Execution[] {
    return this.#running.filter((execution) => execution !== undefined)
  }

  /** @returns the slot, for `end` */
  begin(execution: Execution): number {
    const slot = this.#free.pop() ?? this.#running.length
    this.#running[slot] = execution
    return slot
  }

  /** @returns whether the message is being executed, so that it will be settled without being executed again */
  adopt(delivery: Delivery): boolean {
    if (!this.#possible) return false
    const execution = this.#running.find(
      (each) => each?.settleable === false && isSame(each.delivery, delivery),
    )
    if (execution === undefined) return false
    execution.adopt(delivery)
    const { deliveryTag, messageId } = execution
    this.#tell({ kind: 'adopted', deliveryTag, messageId })
    return true
  }

  end(slot: number): void {
    this.#running[slot] = undefined
    this.#free.push(slot)
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
