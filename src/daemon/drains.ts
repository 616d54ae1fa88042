/** Which queues of this process operators have told to drain: a bridge that begins later is to know. */
export class Drains {
  #all = false
  /** What is otherwise. */
  readonly #queues = new Map<string, boolean>()

  /** @param queue undefined: all, those of later bridges too */
  begin(queue: string | undefined): void {
    this.#set(queue, true)
  }

  end(queue: string | undefined): void {
    this.#set(queue, false)
  }

  has(queue: string): boolean {
    return this.#queues.get(queue) ?? this.#all
  }

  #set(queue: string | undefined, drained: boolean): void {
    if (queue !== undefined) {
      this.#queues.set(queue, drained)
      return
    }
    this.#all = drained
    this.#queues.clear()
  }
}
