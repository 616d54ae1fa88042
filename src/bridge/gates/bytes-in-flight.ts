import type { Execution } from '../execution.ts'
import type { BridgePolicy } from '../ports.ts'
import { type Answer, type Gate, UNTIL_TOLD } from './gate.ts'

/** What a byte of JSON takes: itself, and in the form, when it is escaped, `%XX`. */
const WITH_FORM = 4

/**
 * Counts the bytes of the requests that are in flight, or being made. Concurrency alone would let the memory follow the bodies:
 * after a hold, each of them would become a form at the same time.
 */
export class BytesInFlight implements Gate {
  readonly #limit: number
  readonly #factor: number
  #bytes = 0

  constructor({ maxBytesInFlight, payload }: Pick<BridgePolicy, 'maxBytesInFlight' | 'payload'>) {
    this.#limit = maxBytesInFlight
    this.#factor = payload === 'form' ? WITH_FORM : 1
  }

  /** One request always may start, whatever its size. */
  admits(): Answer {
    return this.#bytes < this.#limit ? 'yes' : UNTIL_TOLD
  }

  onStart({ delivery }: Execution): void {
    this.#bytes += delivery.body.length * this.#factor
  }

  onEnd({ delivery }: Execution): void {
    this.#bytes -= delivery.body.length * this.#factor
  }
}
