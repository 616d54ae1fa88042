import type { Adoption } from './adoption.ts'
import type { Execution } from './execution.ts'
import { isDeliveryCountHigh } from './headers.ts'
import type { Delivery } from './ports.ts'
import type { Settlement } from './settlement.ts'

/** @returns whether another bridge of the queue, which this one has taken the place of, executes the message and will settle it */
export type AdoptElsewhere = (delivery: Delivery) => boolean

/**
 * Messages that have been here before, and are not to be executed now: that one is being executed, that it was and only its copy is
 * missing, or that its queue would soon drop it, so that it has to go back as a new one.
 */
export class Returns {
  readonly #adoption: Adoption
  readonly #settlement: Settlement
  readonly #admit: (execution: Execution) => void
  readonly #adoptElsewhere: AdoptElsewhere
  /** Resolves when nothing is on its way back into its queue as a new message. That takes no slot. */
  #reset: Promise<void> = Promise.resolve()
  #draining = false

  /** @param admit told of one that is to be executed after all */
  constructor(
    adoption: Adoption,
    settlement: Settlement,
    admit: (execution: Execution) => void,
    adoptElsewhere: AdoptElsewhere = () => false,
  ) {
    this.#adoption = adoption
    this.#settlement = settlement
    this.#admit = admit
    this.#adoptElsewhere = adoptElsewhere
  }

  /** @returns whether it is one of those */
  take(execution: Execution): boolean {
    const { delivery, history } = execution
    if (delivery.redelivered && (this.#adoption.adopt(delivery) || this.#adoptElsewhere(delivery)))
      return true
    if (isDeliveryCountHigh(history)) {
      const others = this.#reset
      this.#reset = this.#resetDeliveryCount(execution).then(() => others)
      return true
    }
    return this.#isParked(execution)
  }

  /** Resolves when none of them is on its way; what could not be put back goes back to the broker. */
  drain(): Promise<void> {
    this.#draining = true
    return this.#reset
  }

  async #resetDeliveryCount(execution: Execution): Promise<void> {
    const { delivery } = execution
    if (await this.#settlement.resetDeliveryCount(execution)) return
    if (this.#draining) delivery.requeue()
    else if (delivery.live && !this.#isParked(execution)) this.#admit(execution)
  }

  #isParked({ delivery, history }: Execution): boolean {
    return (delivery.redelivered || history.isCopy) && this.#settlement.takeBack(delivery)
  }
}
