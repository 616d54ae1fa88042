import type { BridgePolicy, Delivery } from './ports.ts'

/** What a byte of JSON takes: itself, and in the form, when it is escaped, `%XX`. */
const WITH_FORM = 4

/**
 * Counts the bytes of the requests that are in flight, or being made. Concurrency alone would let the memory follow the bodies:
 * after a hold, each of them would become a form at the same time.
 */
export class BytesInFlight {
  readonly #limit: number
  readonly #factor: number
  #bytes = 0

  constructor({ maxBytesInFlight, payload }: BridgePolicy) {
    this.#limit = maxBytesInFlight
    this.#factor = payload === 'form' ? WITH_FORM : 1
  }

  /** Whether nothing more may be dispatched now. One request always may, whatever its size. */
  get full(): boolean {
    return this.#bytes >= this.#limit
  }

  add({ body }: Delivery): void {
    this.#bytes += body.length * this.#factor
  }

  remove({ body }: Delivery): void {
    this.#bytes -= body.length * this.#factor
  }
}
