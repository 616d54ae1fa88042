import type { Tell } from '../bridge/events.ts'

/** Milliseconds. */
const INTERVAL = 60_000

/** Tells of what is no command: of the first one at once, and of a flood once a minute. */
export class IgnoredCommands {
  readonly #tell: Tell
  #count = 0
  #reason = ''
  #timer: NodeJS.Timeout | undefined

  constructor(tell: Tell) {
    this.#tell = tell
  }

  add(reason: string): void {
    this.#count += 1
    this.#reason = reason
    if (this.#timer !== undefined) return
    this.#tellAll()
    this.#timer = setInterval(() => this.#tellAll(), INTERVAL).unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #tellAll(): void {
    if (this.#count === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
      return
    }
    this.#tell({ kind: 'command-ignored', reason: this.#reason, count: this.#count })
    this.#count = 0
  }
}
