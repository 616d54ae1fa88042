import type { Message } from './message.ts'

/** The messages of one stream that have no answer yet. */
export class Unanswered {
  /** In the order in which they were sent. The first is being executed; those behind it have not been begun. */
  #onTheirWay: Message[] = []
  /** Begun, and put off by the worker, by their numbers: it answers them together with later ones. */
  readonly #collected = new Map<number, Message>()

  /** Those that the worker has not answered or put off. */
  get onTheirWay(): number {
    return this.#onTheirWay.length
  }

  get collected(): number {
    return this.#collected.size
  }

  /** The one that is being executed. */
  get current(): Message | undefined {
    return this.#onTheirWay[0]
  }

  get oldest(): Message | undefined {
    for (const message of this.#collected.values()) return message
    return this.current
  }

  add(message: Message): void {
    this.#onTheirWay.push(message)
  }

  isOnItsWay(message: Message): boolean {
    return this.#onTheirWay.includes(message)
  }

  /** @returns whether the message of that number is the one that is being executed, and is put off now */
  collect(sequence: number): boolean {
    if (this.current?.sequence !== sequence) return false
    this.#collected.set(sequence, this.#onTheirWay.shift() as Message)
    return true
  }

  /** @returns the message of that number, if it may have an answer; it is none of these any more */
  take(sequence: number): Message | undefined {
    if (this.current?.sequence === sequence) return this.#onTheirWay.shift()
    const message = this.#collected.get(sequence)
    this.#collected.delete(sequence)
    return message
  }

  /** The current one: it will have no answer. */
  takeCurrent(): Message | undefined {
    return this.#onTheirWay.shift()
  }

  /** Those that were put off: they may have been executed. */
  takeCollected(): Message[] {
    const messages = [...this.#collected.values()]
    this.#collected.clear()
    return messages
  }

  /** Those behind the current one. */
  takeAhead(): Message[] {
    return this.#onTheirWay.splice(1)
  }

  /** All that were not put off, once the worker takes no more. */
  takeUnbegun(): Message[] {
    return this.#onTheirWay.splice(0)
  }
}
