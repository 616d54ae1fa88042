export interface InFlightLimits {
  readonly messages: number
  readonly bytes: number
}

/** How much may be on its way at once, so that a million messages fit into little memory. */
export class InFlightLimit {
  readonly #limits: InFlightLimits
  #messages = 0
  #bytes = 0
  #wake: () => void = () => {}

  constructor(limits: InFlightLimits) {
    this.#limits = limits
  }

  /** Resolves when there is room for another message, whatever its size. One caller at a time. */
  room(): Promise<void> {
    return this.#until(() => this.#messages < this.#limits.messages && this.#bytes < this.#limits.bytes)
  }

  /** Resolves when nothing is on its way. */
  empty(): Promise<void> {
    return this.#until(() => this.#messages === 0)
  }

  enter(bytes: number): void {
    this.#messages += 1
    this.#bytes += bytes
  }

  leave(bytes: number): void {
    this.#messages -= 1
    this.#bytes -= bytes
    this.#wake()
  }

  async #until(reached: () => boolean): Promise<void> {
    while (!reached()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
