/** Milliseconds that a line may wait for others. */
const DELAY = 50
/** Characters that may wait. */
const SIZE = 16 * 1024

/**
 * Gathers lines and writes them together: a write for each line would cost more than the rest of a message's way
 * through the daemon. What waits is written at the latest after 50 ms, and when the process exits; a SIGKILL in
 * between takes those lines along.
 */
export class LineBuffer {
  readonly #target: NodeJS.WritableStream
  #text = ''
  #timer: NodeJS.Timeout | undefined

  constructor(target: NodeJS.WritableStream) {
    this.#target = target
  }

  /** @param line without its end */
  add(line: string): void {
    this.#text += `${line}\n`
    if (this.#text.length >= SIZE) this.flush()
    else if (this.#timer === undefined) {
      this.#timer = setTimeout(() => this.flush(), DELAY).unref()
      waiting.add(this)
    }
  }

  /** Writes what waits, now. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    waiting.delete(this)
    if (this.#text === '') return
    const text = this.#text
    this.#text = ''
    this.#target.write(text)
  }
}

/** Those with lines that wait. They share one listener: Node.js takes more than ten for a leak. */
const waiting = new Set<LineBuffer>()
process.on('exit', () => {
  for (const buffer of waiting) buffer.flush()
})
